--- What a program sees of the library's objects: their fields, and nothing of how they work.
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"

describe("an object of the library", function()
  local sandbox, objects

  setup(function()
    sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0 })
    local client = assert(devkit4ai.new(assert(sandbox:developer { email = "a@example.com", password = "Secure123" })))
    local project = assert(client:project())
    local user = assert(project:end_user())
    local gen = assert(project:generate { images = { "examples/images/neon.png" }, prompt = "neon" })
    assert(gen:wait { on_progress = function() end })
    gen:publish()
    local pages = client:generations()
    assert(pages:next())
    local task = devkit4ai.spawn(function() return client:me() end)
    assert(task:join())
    objects = {
      client = client, project = project, user = user, gen = gen, pages = pages, task = task,
      key = assert(project:new_key "second"), listed_key = assert(client:developer_keys())[1],
      stripe = project.stripe, payments = client.payments, users_payments = user.payments, sandbox = sandbox,
      account = assert(client:me()), err = select(3, client:project("no id")),
    }
  end)

  teardown(function()
    objects.client:close()
    sandbox:stop()
  end)

  it("shows fields alone to pairs", function()
    for what, object in pairs(objects) do
      for name in pairs(object) do
        assert.is_nil(tostring(name):match("^_"), ("%s shows %s"):format(what, tostring(name)))
      end
    end
    local names = {}
    for name in pairs(objects.client) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "base_url", "role" }, names)
  end)

  it("can be written as JSON, with the fields that it has", function()
    for what, object in pairs(objects) do
      local ok, text = pcall(cjson.encode, object)
      assert.is_true(ok, what .. ": " .. tostring(text))
      for name, value in pairs(cjson.decode(text)) do
        if type(value) ~= "table" then assert.equal(object[name], value) end
      end
    end
    assert.equal(objects.gen.id, cjson.decode(cjson.encode(objects.gen)).id)
  end)

  it("shows its fields after each was used as well", function()
    tostring(objects.stripe)
    tostring(objects.payments)
    assert.equal("{}", cjson.encode(objects.stripe))
    assert.equal("{}", cjson.encode(objects.users_payments))
  end)

  it("is what its name says", function()
    for what, start in pairs {
      client = "devkit4ai.Client of http", user = "devkit4ai.Client of http", project = "devkit4ai.Project ",
      gen = "devkit4ai.Generation ", key = "devkit4ai.Key ", pages = "devkit4ai.Pages of ",
      stripe = "devkit4ai.Stripe of ", payments = "devkit4ai.Payments of ",
    } do
      assert.equal(start, tostring(objects[what]):sub(1, #start))
    end
  end)
end)
