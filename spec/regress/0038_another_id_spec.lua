-- A response about another id than the requested one is a `protocol` failure, and changes no object.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID, OTHER = "990e8400-e29b-41d4-a716-446655440004", "990e8400-e29b-41d4-a716-446655440005"
local PROJECT = wire.sample.project_id

describe("a response about another id", function()
  local server, client, pause

  setup(function()
    pause = poll_schedule.pause
    poll_schedule.pause = function() return 0.001 end
  end)
  teardown(function() poll_schedule.pause = pause end)

  -- ids: of the answers in order; the last one repeats
  local function start(...)
    server = raw.start { script = ([[
      local ids, n = { "%s" }, 0
      return function(conn)
        while conn:read_request() do
          n = n + 1
          local id = ids[math.min(n, #ids)]
          conn:respond(200, { id = id, status = "completed", name = "another", is_active = true })
        end
      end]]):format(table.concat({ ... }, '", "')) }
    client = assert(devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } })))
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local function fields_of(object)
    local fields = {}
    for name, value in pairs(object) do
      if not name:find("^_") then fields[name] = value end
    end
    return fields
  end

  local CALLS = {
    ["gen:refresh"] = { function() return client:generation(ID) end, function(gen) return gen:refresh() end },
    ["gen:refresh of an anonymous one"] = { function() return client:generation(ID, { anonymous = true }) end,
      function(gen) return gen:refresh() end },
    ["gen:bytes"] = { function() return client:generation(ID) end, function(gen) return gen:bytes() end },
    ["gen:save"] = { function() return client:generation(ID) end, function(gen) return gen:save "/nowhere/x.png" end },
    ["project:refresh"] = { function() return client:project() end, function(project) return project:refresh() end },
    ["project:update"] = { function() return client:project() end,
      function(project) return project:update { name = "mine" } end },
  }

  for says, call in pairs(CALLS) do
    it("is an error of " .. says, function()
      start(OTHER)
      local object = call[1]()
      local before = fields_of(object)
      local value, message, err = call[2](object)
      assert.is_nil(value)
      assert.same({ "protocol", "unknown", 200 }, { err.kind, err.outcome, err.status })
      assert.is_truthy(message:find("about another id", 1, true) and message:find(OTHER, 1, true), message)
      assert.same(before, fields_of(object))
    end)
  end

  it("may spell the id in capitals", function()
    start(ID:upper())
    assert.equal("completed", assert(client:generation(ID):refresh()).status)
    start(PROJECT:upper())
    assert.equal("another", assert(client:project():refresh()).name)
  end)

  it("is a failed poll of a wait", function()
    start(OTHER, OTHER, ID)
    assert.equal(ID, assert(client:generation(ID):wait()).id)
    assert.equal(3, #server:requests())
  end)
end)
