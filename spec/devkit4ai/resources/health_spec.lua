-- client:health(part): the path, no credentials, and the result.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local wire = require "spec.support.calls.wire"

local NOW = "2026-01-01T00:00:00Z"

local server = wire.server {
  ["GET /api/v1/health"] = { 200, {
    status = "healthy", database = { status = "healthy" }, file_storage = { status = "healthy" }, redis = {},
    timestamp = NOW, version = "1.6.1" } },
  ["GET /api/v1/health/database"] = { 200, { status = "unhealthy", error = "no connection", timestamp = NOW } },
  ["GET /api/v1/health/storage"] = { 200, { status = "healthy", writable = false, timestamp = NOW } },
  ["GET /api/v1/health/redis"] = { 200, { status = "healthy", subscribers = 3, timestamp = NOW } },
  ["GET /api/v1/health/detailed"] = { 200, { status = "healthy", storage = { status = "degraded" }, timestamp = NOW } },
  ["GET /health"] = { 200, { status = "ok" } },
}
local client

setup(function() client = assert(devkit4ai.new { base_url = server.url }) end)

teardown(function()
  client:close()
  server:stop()
end)

describe("client:health", function()
  it("needs no credentials, and sends none", function()
    local holder = assert(devkit4ai.new(wire.options(server.url)))
    finally(function() holder:close() end)
    for _, one in ipairs { client, holder } do
      local health = assert(one:health())
      assert.same({ "healthy", "1.6.1", "healthy" }, { health.status, health.version, health.database.status })
      local requests = server:requests()
      assert.is_nil(requests[#requests].head:find("\r\nAuthorization", 1, true))
      assert.is_nil(requests[#requests].head:find("\r\nX-", 1, true))
    end
  end)

  it("requests a part", function()
    local database = assert(client:health "database")
    assert.same({ "unhealthy", "no connection" }, { database.status, database.error }) -- told, and no failure of the call
    assert.is_false(assert(client:health "storage").writable)
    assert.equal("3", tostring(assert(client:health "redis").subscribers))
    assert.equal("degraded", assert(client:health "detailed").file_storage.status) -- wire.md D58
    assert.equal("ok", assert(client:health("simple", { timeout = 20 })).status)
  end)

  it("raises for an unknown part, and sends nothing", function()
    local before = #server:requests()
    assert.has_error(function() client:health "" end)
    assert.has_error(function() client:health "disk" end)
    assert.equal(before, #server:requests())
  end)
end)
