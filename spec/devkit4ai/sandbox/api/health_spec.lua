-- The API's health (wire.md 3.1, rows 1 to 5, 53 and 54), in the schemas of wire.md 3.2.
local helper = require "spec.devkit4ai.sandbox.helper"

-- path -> the required fields of the schema, and the optional ones
local SCHEMAS = {
  ["/api/v1/health"] = { "status database file_storage redis timestamp", "version note error" },
  ["/health"] = { "status database file_storage redis timestamp", "version note error" },
  ["/api/v1/health/database"] = { "status timestamp", "version connection error" },
  ["/api/v1/health/storage"] = { "status timestamp",
    "type path url_prefix url writable accessible url_configured key_configured error" },
  ["/api/v1/health/redis"] = { "status timestamp",
    "type listening subscribers connection_failed last_connection_attempt error" },
  ["/api/v1/health/detailed"] = { "status database file_storage redis system timestamp", "version" },
}

describe("the sandbox's health", function()
  local box
  setup(function() box = helper.start() end)
  teardown(helper.stop_all)

  for path, schema in pairs(SCHEMAS) do
    it("at " .. path .. " has the fields of its schema, and needs no credentials", function()
      local answer = helper.curl(box.url .. path)
      assert.equal(200, answer.status)
      local known = {}
      for name in schema[2]:gmatch "%S+" do known[name] = true end
      for name in schema[1]:gmatch "%S+" do
        known[name] = true
        local kind = type(answer.json[name])
        assert.equal((name == "status" or name == "timestamp") and "string" or "table", kind, name)
      end
      for name in pairs(answer.json) do assert.is_true(known[name], name) end
      assert.equal("healthy", answer.json.status)
      assert.truthy(answer.json.timestamp:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    end)
  end

  it("has the API's version, as the root has", function()
    assert.equal("1.6.1", helper.curl(box.url .. "/api/v1/health").json.version)
    assert.equal("1.6.1", helper.curl(box.url .. "/").json.version)
  end)

  it("can be unhealthy, by a fault", function()
    box:fault { operation = "get_health", status = 503, body = '{"status":"unhealthy"}' }
    local answer = helper.curl(box.url .. "/api/v1/health")
    assert.same({ 503, "unhealthy" }, { answer.status, answer.json.status })
  end)
end)
