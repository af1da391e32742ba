-- Every response of the API has X-RateLimit-Reset. A 404 said "wait 3000 s", and a wait slept beyond its deadline after
-- one 502.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local SCRIPT = [[
  return function(conn)
    local request = conn:read_request()
    while request do
      conn:respond(STATUS, { detail = "no" }, { ["X-RateLimit-Reset"] = tostring(os.time() + 3000) })
      request = conn:read_request()
    end
  end
]]

describe("X-RateLimit-Reset", function()
  for status, waits in pairs { [404] = false, [401] = false, [502] = false, [429] = true } do
    it((waits and "is a time to wait after a %d" or "is not a time to wait after a %d"):format(status), function()
      local server = raw.start { script = (SCRIPT:gsub("STATUS", status)) }
      local client = devkit4ai.new { base_url = server.url, access_token = "t" }
      local _, message, err = client:me()
      assert.equal(waits, err.retry_after ~= nil)
      assert.equal(waits, message:find("before the next call", 1, true) ~= nil)
      client:close()
      server:stop()
    end)
  end
end)
