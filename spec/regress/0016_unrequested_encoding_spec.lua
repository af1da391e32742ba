-- A server compresses a response without a request for it: it is decoded, or fails with a clear message.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local SCRIPT = [==[
local zlib = require "zlib"
local BODY = '{"id":"11111111-2222-4333-8444-555555555555","status":"pending","email":"a@b.c"}'
local function packed(bits, text) return (zlib.deflate(nil, bits)(text or BODY, "finish")) end
local RESPONSES = {
  gzip = function() return packed(31), "gzip" end,
  deflate = function() return packed(15), "deflate" end,
  upper = function() return packed(31), "GZIP" end,
  identity = function() return BODY, "identity" end,
  unknown = function() return "\1\2\3", "frobnicate" end,
  broken = function() return BODY, "gzip" end,
  cut = function() return packed(31):sub(1, 20), "gzip" end,
  large = function() return packed(31, (" "):rep(17 * 1024 * 1024)), "gzip" end,
}
return function(conn)
  while conn:read_request() do
    local body, encoding = RESPONSES["%s"]()
    conn:respond(200, body, { ["Content-Encoding"] = encoding })
  end
end]==]

-- name | what the call for the user says
local ROWS = {
  { "gzip" }, { "deflate" }, { "upper" }, { "identity" },
  { "unknown", "protocol", "check that base_url is the address of the API" },
  { "broken", "protocol", "check that base_url is the address of the API" },
  { "cut", "protocol" }, { "large", "protocol", "more than 16777216 bytes" },
}

local function start(name)
  local server = raw.start { script = SCRIPT:format(name) }
  finally(function() server:stop() end)
  local client = assert(devkit4ai.new { base_url = server.url, access_token = "MARKER-TOKEN",
    developer_key = "MARKER-KEY", retry = { attempts = 1 } })
  return server, client
end

describe("a response with a Content-Encoding that was not requested:", function()
  for _, row in ipairs(ROWS) do
    it(row[1], function()
      local server, client = start(row[1])
      local user, message, err = client:me()
      if row[2] then
        assert.is_nil(user)
        assert.same({ row[2], "unknown" }, { err.kind, err.outcome })
        assert.is_truthy(message:find(row[3] or "", 1, true), message)
      else
        assert.equal("a@b.c", assert(user, message).email)
      end
      assert.is_nil(server:last().head:lower():find("accept-encoding", 1, true))
      client:close()
    end)
  end

  it("a generation whose response can't be read may exist, and the message tells how to find it", function()
    local server, client = start "unknown"
    local project = client:project "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    project:use_key "MARKER-PROJECT"
    local generation, message, err = project:generate { prompt = "x",
      images = { { data = "\137PNG\r\n\26\n" .. ("\0"):rep(100), filename = "i.png" } } }
    assert.is_nil(generation)
    assert.same({ "protocol", "unknown", false }, { err.kind, err.outcome, err.retryable })
    assert.is_truthy(message:find("find_generation", 1, true), message)
    assert.equal(1, #server:requests())
    client:close()
  end)
end)
