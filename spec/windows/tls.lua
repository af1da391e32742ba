-- TLS on Windows. wine's Schannel accepts unknown roots, so a libcurl on mbedTLS shows what the core refuses. On Schannel, the tests
-- show only what wine does not weaken.
local raw = require "spec.support.servers.raw"
local wine = require "spec.windows.wine"

local SCRIPT = [[
local url, ca_file = ...
local user, message, err = assert(require("devkit4ai").new {
  base_url = url, ca_file = ca_file ~= "" and ca_file or nil, access_token = "t" }):me()
print(user and user.id or err.kind, err and err.outcome)
print(message)
]]

local ID = "550e8400-e29b-41d4-a716-446655440000"

-- Name | fault of the certificate, or true | whether ca_file is given | the output | words of the message
local CASES = {
  { "an unknown certificate is refused", true, false, "tls\tnot_sent" },
  { "a certificate for another name is refused", "other", true, "tls\tnot_sent" },
  { "an expired certificate is refused", "expired", true, "tls\tnot_sent" },
  { "a certificate is accepted with ca_file", true, true, ID .. "\tnil" },
}

describe("on Windows with mbedTLS", function()
  setup(wine.unpack)
  teardown(wine.remove_all)

  local function run(options, tls)
    local server = raw.start { tls = tls, script = ([[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "%s" }) end
    end]]):format(ID) }
    finally(function() server:stop() end)
    options.args = { server.url, options.ca_file and wine.path(server.ca_file) or "" }
    local ended = wine.run("lua5.4", SCRIPT, options)
    return ended, server
  end

  for _, case in ipairs(CASES) do
    it(case[1], function()
      local ended, server = run({ modules = "mbedtls/lua5.4", ca_file = case[3] }, case[2])
      assert.equal(case[4], ended.out:match "^[^\n]*", ended.out .. ended.err)
      assert.equal(case[4]:find "^tls" and 0 or 1, #server:requests())
    end)
  end

  it("and with Schannel, a certificate for another name is refused", function()
    local ended, server = run({ ca_file = true }, "other")
    assert.equal("tls\tnot_sent", ended.out:match "^[^\n]*", ended.out .. ended.err)
    assert.equal(0, #server:requests())
  end)
end)
