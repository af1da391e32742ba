-- A line of code that a message suggests runs as printed (architecture.md, invariant 14): in the same program, and in the next one with
-- a new client. `client` is a client of devkit4ai.new, `user` one of project:end_user.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local waits = require "devkit4ai.loop.waits"

local load_text = loadstring or load -- luacheck: ignore 113
local IMAGES = { "examples/images/neon.png" }
local PASSWORD = "SecurePass123"
local PROMPT = 'a "quoted" [[picture]]\\\n'

describe("a line that a message suggests", function()
  local box, folder, names

  setup(function()
    box = require("devkit4ai.sandbox").start { command = "build/run lua5.4 bin/devkit4ai", step_time = 0 }
    folder = child.folder()
    names = 0
  end)
  teardown(function()
    box:stop()
    child.remove(folder)
  end)
  after_each(function() box:clear_faults() end)

  local function new_name()
    names = names + 1
    return names
  end

  -- By caller: a function that returns the object whose generate is called, the variables in the lines (a client, a user), and
  -- a function that creates the variables again in a new program.
  local CALLERS = {
    ["project:generate"] = function()
      local options = assert(box:developer { email = ("dev%d@example.com"):format(new_name()), password = PASSWORD })
      local client = assert(devkit4ai.new(options))
      return assert(client:project()), { client = client }, function()
        return { client = assert(devkit4ai.new(options)) }
      end
    end,
    ["project:generate, of a project with a key that was just made"] = function()
      local options = assert(box:developer { email = ("dev%d@example.com"):format(new_name()), password = PASSWORD })
      local client = assert(devkit4ai.new(options))
      local project = assert(client:new_project { name = "another" })
      local key = assert(project:new_key "k")
      return project, { client = client }, function()
        options.project_id, options.project_key = project.id, key.key
        return { client = assert(devkit4ai.new(options)) }
      end
    end,
    ["project:generate, of a project with a key that it was given"] = function()
      local options = assert(box:developer { email = ("dev%d@example.com"):format(new_name()), password = PASSWORD })
      local client = assert(devkit4ai.new(options))
      local project, key = assert(client:project()), options.project_key
      options.project_id, options.project_key = nil, nil
      client:close()
      client = assert(devkit4ai.new(options))
      local own = assert(assert(client:project(project.id)):use_key(key))
      return own, { client = client }, function()
        options.project_id, options.project_key = project.id, key
        return { client = assert(devkit4ai.new(options)) }
      end
    end,
    ["client:generate"] = function()
      local options = assert(box:developer { email = ("dev%d@example.com"):format(new_name()), password = PASSWORD })
      local client = assert(devkit4ai.new(options))
      return client, { client = client }, function() return { client = assert(devkit4ai.new(options)) } end
    end,
    ["user:generate"] = function()
      local options = assert(box:developer { email = ("dev%d@example.com"):format(new_name()), password = PASSWORD })
      local client = assert(devkit4ai.new(options))
      local user, email = assert(client:project():end_user()), ("user%d@example.com"):format(new_name())
      assert(user:register { email = email, password = PASSWORD })
      assert(user:login(email, PASSWORD))
      return user, { client = client, user = user }, function()
        local again = assert(devkit4ai.new(options))
        local user_again = assert(again:project():end_user())
        assert(user_again:login(email, PASSWORD))
        return { client = again, user = user_again }
      end
    end,
  }

  local function order(caller)
    return assert(caller:generate { images = IMAGES, prompt = PROMPT })
  end

  local function fail(wanted, value, message, err)
    assert.is_nil(value)
    assert.equal(wanted, err.kind, message)
    assert.equal(message, err.message)
    return message, err
  end

  local function status_fault(fault)
    fault.operation, fault.times = "get_generation_status", fault.times or 1
    box:fault(fault)
  end

  local function file_of(text)
    local path = ("%s/%d.png"):format(folder, new_name())
    local file = assert(io.open(path, "wb"))
    assert(file:write(text))
    file:close()
    return path
  end

  -- By situation: a function that returns the message, and the generation if there is one. closed: it closes the client.
  local SITUATIONS = {
    ["an order whose outcome is unknown"] = function(caller)
      box:fault { operation = "create_generation", cut = "after", times = 1 }
      return fail("network", caller:generate { images = IMAGES, prompt = PROMPT })
    end,
    ["an order with a table of instructions"] = function(caller)
      box:fault { operation = "create_generation", cut = "after", times = 1 }
      return fail("network", caller:generate { images = IMAGES, instructions = { prompt = PROMPT, style = "]]" } })
    end,
    ["a conflict"] = function(caller)
      box:fault { operation = "create_generation", status = 409, work = true, times = 1 }
      return fail("conflict", caller:generate { images = IMAGES, prompt = PROMPT })
    end,
    ["a wait whose time is over"] = function(caller)
      status_fault { status = 503 }
      return fail("timeout", order(caller):wait { timeout = 0 })
    end,
    ["a wait that is cancelled"] = function(caller)
      local gen = order(caller)
      status_fault { status = 503 }
      local task = devkit4ai.spawn(function() return gen:wait() end)
      waits.sleep(0.05)
      return fail("cancelled", task:cancel():join())
    end,
    ["a wait whose client is closed"] = { closed = true, function(caller, objects)
      local gen = order(caller)
      status_fault { status = 503 }
      local task = devkit4ai.spawn(function() return gen:wait() end)
      waits.sleep(0.05)
      objects.client:close()
      local message = fail("cancelled", task:join())
      assert.is_truthy(message:find("make a new client", 1, true), message)
      return message
    end },
    ["a wait that is refused"] = function(caller)
      local gen = order(caller)
      status_fault { status = 403, detail = "no" }
      return fail("forbidden", gen:wait())
    end,
    ["a wait without a session"] = function(caller)
      local gen = order(caller)
      status_fault { status = 401, detail = "no", times = 2 }
      return fail("auth", gen:wait())
    end,
    ["an image whose URL has expired, in save"] = function(caller)
      local gen = assert(order(caller):wait())
      box:fault { operation = "picture", status = 403, times = 2 }
      local message = fail("forbidden", gen:save(("%s/%d.png"):format(folder, new_name())))
      assert.is_truthy(message:find("the image URL has expired", 1, true), message)
      assert.is_truthy(message:find("gen:refresh()", 1, true), message)
      return message
    end,
    ["an image whose URL has expired, in bytes"] = function(caller)
      local gen = assert(order(caller):wait())
      box:fault { operation = "picture", status = 404, times = 2 }
      return fail("not_found", gen:bytes())
    end,
    ["a storage that fails"] = function(caller)
      local gen = assert(order(caller):wait())
      box:fault { operation = "picture", status = 500, headers = { ["Retry-After"] = "0.01" }, times = 3 }
      return fail("server", gen:save(("%s/%d.png"):format(folder, new_name())))
    end,
    ["a look of save that is refused"] = function(caller)
      local gen = order(caller)
      status_fault { status = 403, detail = "no" }
      return fail("forbidden", gen:save(("%s/%d.png"):format(folder, new_name())))
    end,
    ["a save before the end"] = function(caller)
      local gen = order(caller)
      status_fault { status = 200, body = ('{"id":"%s","status":"pending"}'):format(gen.id) }
      return fail("invalid", gen:save(("%s/%d.png"):format(folder, new_name())))
    end,
    ["a name that is taken"] = function(caller)
      local gen = assert(order(caller):wait())
      return fail("file", gen:save(file_of "mine"))
    end,
    ["a name with quotes and line feeds"] = function(caller)
      local gen = assert(order(caller):wait())
      box:fault { operation = "picture", status = 403, times = 2 }
      return fail("forbidden", gen:save(("%s/a \"%d\" ]]\n.png"):format(folder, new_name())))
    end,
  }

  local function line_of(message)
    return message:match("this line looks for it: (.*)$") or message:match("go on [%l ]*with (.*)$")
      or error("no line in: " .. message)
  end

  local function run(message, objects)
    local line = line_of(message)
    local first = assert.is_truthy(line:match("^(%l+):")) and line:match("^(%l+):")
    assert.is_table(objects[first], line)
    assert.is_falsy(line:find("%c"), line)
    local value, why = assert(load_text("local client, user = ... return " .. line))(objects.client, objects.user)
    assert.is_truthy(value, line .. " --> " .. tostring(why))
    return value
  end

  for caller_name, make in pairs(CALLERS) do
    for what, situation in pairs(SITUATIONS) do
      local is_closing = type(situation) == "table"
      it(("runs after %s (%s)"):format(what, caller_name), function()
        local caller, objects, anew = make()
        local message, err = (is_closing and situation[1] or situation)(caller, objects)
        box:clear_faults()
        if err and err.generation_id then assert.is_truthy(message:find(err.generation_id, 1, true), message) end
        if not is_closing then
          local value = run(message, objects)
          if type(value) == "string" then os.remove(value) end -- the next program saves it as well
        end
        local next_objects = anew()
        run(message, next_objects)
        objects.client:close()
        next_objects.client:close()
      end)
    end
  end

  it("runs after client:request, and after that of an end user", function()
    for _, name in ipairs { "client:generate", "user:generate" } do
      local caller, objects, anew = CALLERS[name]()
      box:fault { operation = "create_generation", cut = "after", times = 1 }
      local message = fail("network", caller:request {
        method = "POST", path = "/api/v1/generation/generate-v2",
        form = { example_images = IMAGES, instructions = '{"prompt":"by hand"}' },
      })
      local next_objects = anew()
      assert.equal(run(message, objects).id, run(message, next_objects).id)
      objects.client:close()
      next_objects.client:close()
    end
  end)

  it("runs for an anonymous generation", function()
    local client = assert(devkit4ai.new { base_url = box.url })
    local gen = assert(client:generate_anonymous { images = IMAGES, prompt = PROMPT })
    box:fault { operation = "get_anonymous_generation_status", status = 503, times = 1 }
    local message = fail("timeout", gen:wait { timeout = 0 })
    assert.equal("completed", run(message, { client = client }).status)
    client:close()
    client = assert(devkit4ai.new { base_url = box.url })
    assert.equal("completed", run(message, { client = client }).status)
    client:close()
  end)

  it("overwrites no file if the name exists", function()
    local caller, objects = CALLERS["client:generate"]()
    local gen, path = assert(order(caller):wait()), file_of "mine"
    local saved = run(fail("file", gen:save(path)), objects)
    assert.are_not.equal(path, saved)
    local file = assert(io.open(path, "rb"))
    assert.equal("mine", file:read("*a"))
    file:close()
    objects.client:close()
  end)

  it("is absent for the generation of another account", function()
    local caller, objects = CALLERS["client:generate"]()
    assert(assert(order(caller):wait()):publish())
    local stranger = assert(devkit4ai.new { base_url = box.url })
    local gen = assert(stranger:public_generations():next())
    box:fault { operation = "picture", status = 404, times = 2 }
    local message = select(2, gen:bytes())
    assert.is_falsy(message:find("paid for", 1, true), message)
    stranger:close()
    objects.client:close()
  end)
end)
