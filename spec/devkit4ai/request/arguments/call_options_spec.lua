--- The options of a call: in its table, in a last table, or as a last number, which is the timeout; on every method.
local every_call = require "spec.support.calls.every_call"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"
local devkit4ai = require "devkit4ai"

local unpack = table.unpack or unpack

-- Calls whose options follow an optional text.
local AT = { health = 2, new_key = 2, new_developer_key = 2 }

describe("the options of a call", function()
  local server, objects

  setup(function()
    server = raw.start { script = [[
      return function(conn)
        local request = conn:read_request()
        while request do
          local list = request.method == "GET" and request.target:find("keys")
          local key = { id = "990e8400-e29b-41d4-a716-446655440004", key = "pk_12345678", key_prefix = "pk_12345" }
          conn:respond(200, list and { key } or key)
          request = conn:read_request()
        end
      end
    ]] }
    objects = every_call.objects(assert(devkit4ai.new(wire.options(server.url))))
  end)

  teardown(function()
    objects.client:close()
    server:stop()
  end)

  -- What a call gives with options as its last argument; a list's first page is read.
  local function make(call, options)
    local args = { unpack(call, 3) }
    args[math.max(#args + 1, AT[call[2]] or 1)] = options
    local object = objects[call[1]]
    local value, message, err = object[call[2]](object, unpack(args, 1, 3))
    if type(value) == "table" and value.next then return value:next() end
    return value, message, err
  end

  for name, calls in pairs(every_call.calls) do
    for i, call in ipairs(calls) do
      local what = ("%s %d: %s:%s"):format(name, i, call[1], call[2])

      it("may be a number: " .. what, function()
        local value, message, err = make(call, -1)
        assert.is_nil(value)
        assert.is_truthy(message and message:find("timeout", 1, true), tostring(message))
        assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
      end)

      it("may be a table: " .. what, function()
        local _, message, err = make(call, { timeout = -1 })
        assert.is_truthy(message and message:find("timeout", 1, true), tostring(message))
        assert.equal("config", err.kind)
        assert.has_error(function() make(call, { no_such_option = 1 }) end)
      end)
    end
  end

  it("of one page replace the list's", function()
    for _, read in ipairs { "next", "all" } do
      local pages = objects.client:generations { timeout = 30 }
      assert.equal("config", select(3, pages[read](pages, -1)).kind)
      assert.equal("config", select(3, pages[read](pages, { timeout = -1 })).kind)
    end
    local pages = objects.client:generations()
    assert.equal("config", select(3, pages:page(1, -1)).kind)
  end)

  it("have on_upload only in calls that upload", function()
    local image = { data = wire.image.png, filename = "a.png" }
    local order = { images = { image }, prompt = "neon" }
    assert(objects.project:generate(order, { on_upload = function() end, timeout = 30 }))
    assert.is_nil(order.timeout)
    assert.has_error(function() objects.client:me { on_upload = function() end } end)
  end)

  it("are the last argument also without the optional text", function()
    assert.equal("config", select(3, objects.project:new_key(-1)).kind)
    assert.equal("config", select(3, objects.client:new_developer_key { timeout = -1 }).kind)
    assert.equal("config", select(3, objects.client:health(-1)).kind)
    assert.has_error(function() objects.project:new_key(true) end)
  end)
end)
