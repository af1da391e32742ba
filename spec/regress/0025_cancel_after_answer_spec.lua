-- A task that was cancelled after its response arrived said "not_sent", and lost a new key, a project or an account.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local SERVER = ([[return function(conn)
  local request = conn:read_request()
  while request do
    conn:respond(200, { id = "%s", name = "n", email = "a@example.com", status = "pending", key = "pk_abc",
      key_prefix = "pk_", api_key = "ak_abc", user = { id = "%s", email = "a@example.com" } })
    request = conn:read_request()
  end
end]]):format(ID, ID)

local IMAGES = { { data = wire.image.png, filename = "a.png" } }

local CALLS = {
  new_key = function(client) return client:project(ID):new_key "n" end,
  new_developer_key = function(client) return client:new_developer_key "n" end,
  new_project = function(client) return client:new_project { name = "n" } end,
  generate = function(client) return client:generate { images = IMAGES, prompt = "neon" } end,
  me = function(client) return client:me() end,
}

describe("a task that is cancelled after its response arrived", function()
  local server, client, task, orphans
  before_each(function()
    server, orphans = raw.start { script = SERVER }, {}
    client = devkit4ai.new(wire.options(server.url, { on_event = function(event)
      if event.type == "answer" then task:cancel() end
      if event.type == "orphan" then orphans[#orphans + 1] = event.generation_id end
    end }))
  end)
  after_each(function()
    client:close()
    server:stop()
  end)

  local function join(fn)
    task = devkit4ai.spawn(fn)
    return task:join()
  end

  for name, call in pairs(CALLS) do
    it("returns its function's result: " .. name, function()
      local value = join(function() return (assert(call(client))) end)
      assert.equal(ID, value and value.id)
      local first, second = join(function() return assert(call(client)).id, "and more" end)
      assert.same({ ID, "and more" }, { first, second })
      assert.equal(2, #server:requests())
    end)
  end

  for name, line in pairs {
    new_key = "the key n (id " .. ID .. ") was created", new_project = "the project n (id " .. ID .. ") was created",
    new_developer_key = "the developer key n (id " .. ID .. ") was created",
    generate = ('client:generation("%s"):wait()'):format(ID),
  } do
    for how, ended in pairs {
      ["a later call that raises"] = function() assert(client:me()) end,
      ["a later call that fails"] = function() return client:me() end,
      ["nothing that it gives"] = function() devkit4ai.sleep(1000) end,
    } do
      it("names the created object, and returns it: " .. name .. ", " .. how, function()
        local value, message, err = join(function()
          assert(CALLS[name](client))
          return ended()
        end)
        assert.is_nil(value)
        assert.same({ "cancelled", "unknown", false, ID }, { err.kind, err.outcome, err.retryable, err.created[1].id })
        assert.is_truthy(message:find(line, 1, true), message)
        assert.same({ message, message }, { err.message, tostring(err) })
        assert.equal(1, #server:requests())
      end)
    end
  end

  it("reports a generation without a waiter as an orphan", function()
    local _, message, err = join(function()
      assert(CALLS.generate(client))
      return nil, "changed my mind"
    end)
    assert.same({ { ID }, ID, { ID } }, { orphans, err.generation_id, err.generation_ids })
    assert.is_truthy(message:find("changed my mind", 1, true), message)
  end)
end)
