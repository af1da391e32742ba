-- Fetching an image: redirects are followed, every URL is held to the same rules, and no credential is sent.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local PNG = wire.image.png

-- Answers /to?URL with a redirect to the URL, /hops/N with one to /hops/N-1, /circle with one to itself, and everything else
-- with an image. libcurl 8 sends no "?" without a query.
local SCRIPT = ([[return function(conn)
  local request = conn:read_request()
  while request do
    local to, hops = request.target:match("^/to%%??(.*)$"), tonumber(request.target:match("^/hops/(%%d+)"))
    if request.target == "/circle" then to = "/circle" end
    if hops and hops > 0 then to = ("/hops/%%d"):format(hops - 1) end
    if to then conn:respond(STATUS, "", { Location = to }) else conn:respond(200, %q) end
    request = conn:read_request()
  end
end]]):format(PNG)

local function start(status, tls)
  return raw.start { script = (SCRIPT:gsub("STATUS", tostring(status or 302))), tls = tls }
end

describe("an image URL", function()
  local server, other, client

  before_each(function()
    server, other = start(), start()
    local options = wire.options(server.url)
    options.headers = { traceparent = "00-MARKER-01" }
    client = assert(devkit4ai.new(options))
  end)

  after_each(function()
    client:close()
    server:stop()
    other:stop()
  end)

  local function fetch(url, its_client)
    local gen = (its_client or client):generation(ID)
    gen.image_url = url
    return gen:bytes()
  end

  for _, status in ipairs { 301, 302, 303, 307, 308 } do
    it("may redirect with " .. status, function()
      server:stop()
      server = start(status)
      assert.equal(PNG, assert(fetch(server.url .. "/hops/1")))
      assert.equal(2, #server:requests())
    end)
  end

  it("may redirect three times, but not four times", function()
    assert.equal(PNG, assert(fetch(server.url .. "/hops/3")))
    assert.equal(4, #server:requests())
    local bytes, message, err = fetch(server.url .. "/hops/4")
    assert.is_nil(bytes)
    assert.same({ "protocol", "get_picture", ID, false }, { err.kind, err.operation, err.generation_id, err.retryable })
    assert.is_truthy(message:find("too many times", 1, true), message)
    assert.equal(4 + 4, #server:requests())
  end)

  it("that redirects to itself fails after three redirects", function()
    local bytes, _, err = fetch(server.url .. "/circle")
    assert.is_nil(bytes)
    assert.same({ "protocol", false }, { err.kind, err.retryable })
    assert.equal(4, #server:requests())
  end)

  it("may redirect to another server, which receives no credential", function()
    assert.equal(PNG, assert(fetch(server.url .. "/to?" .. other.url .. "/picture.png")))
    local requests = { server:requests()[1], other:requests()[1] }
    for _, request in ipairs(requests) do
      local head = request.head
      for name, value in pairs(wire.sample) do assert.is_nil(head:find(value, 1, true), name) end
      assert.is_nil(head:find("MARKER", 1, true))
      for _, name in ipairs { "Authorization", "X-Developer-Key", "X-API-Key", "X-Project-ID", "X-User-Role", "Cookie",
        "Referer", "traceparent" } do
        assert.is_nil(wire.header(request, name), name)
      end
    end
    assert.equal("127.0.0.1:" .. other.port, wire.header(requests[2], "Host"))
  end)

  it("may redirect to a relative URL", function()
    assert.equal(PNG, assert(fetch(server.url .. "/to?picture.png?signature=1")))
    assert.equal("/picture.png?signature=1", server:requests()[2].target)
  end)

  for _, place in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/x", "data:image/png;base64,iVBORw0KGgo=",
    "gopher://x", "http://", "https://user:word@127.0.0.1/x", "http://127.0.0.1:99999/x", "" } do
    it("never redirects to " .. (place ~= "" and place or "an empty URL"), function()
      local bytes, message, err = fetch(server.url .. "/to?" .. place)
      assert.is_nil(bytes)
      assert.equal("protocol", err.kind, message)
      assert.equal(1, server:connections())
      assert.equal(0, other:connections())
    end)
  end

  it("is retried at the second server if that fails, not at the first one", function()
    other:stop()
    other = raw.start { script = ([[local n = 0
      return function(conn)
        while conn:read_request() do
          n = n + 1
          if n == 1 then conn:respond(503, "", { ["Retry-After"] = "0.01" }) else conn:respond(200, %q) end
        end
      end]]):format(PNG) }
    assert.equal(PNG, assert(fetch(server.url .. "/to?" .. other.url .. "/picture.png")))
    assert.equal(1, #server:requests())
    assert.equal(2, #other:requests())
  end)

  it("may be on this machine if the API is", function()
    assert.equal(PNG, assert(fetch(other.url .. "/picture.png")))
  end)

  for _, address in ipairs { "http://127.0.0.1:PORT/x", "http://localhost:PORT/x", "http://[::ffff:127.0.0.1]:PORT/x",
    "http://10.0.0.1/x", "http://192.168.1.1/x", "http://169.254.169.254/latest/meta-data/", "http://[::1]:PORT/x",
    "http://[fe80::1]/x", "http://0.0.0.0:PORT/x", "http://2130706433:PORT/x" } do
    it("is never " .. address .. " if the API is on the public network", function()
      local options = wire.options("https://api.test")
      options.retry = { attempts = 1 }
      local public = assert(devkit4ai.new(options))
      local bytes, message, err = fetch(address:gsub("PORT", tostring(other.port)), public)
      assert.is_nil(bytes)
      assert.same({ "protocol", "not_sent", false }, { err.kind, err.outcome, err.retryable }, message)
      assert.is_truthy(message:find("not on the public network", 1, true), message)
      assert.equal(0, other:connections())
      public:close()
    end)
  end

  it("never redirects from the public network to a private one", function()
    local api = start(302, true) -- its own origin gets our requests anyway
    local ended = child.run([[
      local base_url, ca_file, place = arg[1], arg[2], arg[3]
      local client = assert(require("devkit4ai").new { base_url = base_url, ca_file = ca_file, access_token = "t",
        developer_key = "d", project_id = "770e8400-e29b-41d4-a716-446655440002", project_key = "p" })
      local gen = client:generation("990e8400-e29b-41d4-a716-446655440004")
      gen.image_url = base_url .. "/hops/1"
      print(#assert(gen:bytes()))
      gen.image_url = base_url .. "/to?" .. place
      local bytes, message, err = gen:bytes()
      print(bytes, err.kind, err.outcome, message)
    ]], { args = { "https://api.test:" .. api.port, api.ca_file, other.url .. "/picture.png" },
      preload = "slow_getaddrinfo", env = { SLOW_RESOLVE_NAME = "api.test", SLOW_RESOLVE_ADDRESS = "127.0.0.1" } })
    api:stop()
    assert.equal(0, ended.code, ended.err)
    assert.matches("^" .. #PNG .. "\nnil\tprotocol\t", ended.out)
    assert.matches("not on the public network", ended.out)
    assert.equal(0, other:connections())
  end)

  it("is never a name that resolves to a private address", function()
    local ended = child.run([[
      local client = assert(require("devkit4ai").new { base_url = "https://example.com", access_token = "t",
        developer_key = "d", project_id = "770e8400-e29b-41d4-a716-446655440002", project_key = "p" })
      local gen = client:generation("990e8400-e29b-41d4-a716-446655440004")
      gen.image_url = arg[1]
      local bytes, message, err = gen:bytes()
      print(bytes, err.kind, err.outcome, message)
    ]], { args = { "http://pictures.test:" .. other.port .. "/x" }, preload = "slow_getaddrinfo",
      env = { SLOW_RESOLVE_NAME = "pictures.test", SLOW_RESOLVE_ADDRESS = "127.0.0.1" } })
    assert.equal(0, ended.code, ended.err)
    assert.matches("^nil\tprotocol\tnot_sent\t", ended.out)
    assert.equal(0, other:connections())
  end)
end)
