-- The user's own headers: only for the API, added to the library's and never in their place, masked like keys.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local headers = require "devkit4ai.request.headers"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

local function compile(given, before)
  local secrets = core.secrets()
  local lines, why = headers.compile(given, secrets, before)
  return lines, why, secrets
end

describe("headers.compile", function()
  it("returns lines that name slots, sorted, after the given lines", function()
    assert.same({ "First: x", "X-A: {header X-A}", "traceparent: {header traceparent}" },
      (compile({ traceparent = TRACE, ["X-A"] = "a" }, { "First: x" })))
  end)

  it("replaces a line of the same name, in any case of letters", function()
    assert.same({ "Keep: {header Keep}", "x-team: {header x-team}" },
      (compile({ ["x-team"] = "b" }, { "X-Team: {header X-Team}", "Keep: {header Keep}" })))
  end)

  it("masks a long value like a key, and leaves a short one readable", function()
    local _, _, secrets = compile { ["X-Key"] = "MARKER-VALUE", ["X-Team"] = "neon" }
    assert.equal("say *** and neon", secrets:mask "say MARKER-VALUE and neon")
  end)

  for _, name in ipairs { "Authorization", "authorization", "AUTHORIZATION", "Proxy-Authorization", "Cookie",
    "X-User-Role", "x-developer-key", "X-DEVELOPER-KEY", "X-Project-ID", "x-api-key", "X-Operator-Key",
    "Stripe-Signature", "User-Agent", "Host", "Content-Type", "content-length", "Transfer-Encoding", "Connection",
    "Expect", "TE", "Trailer", "Upgrade", "Accept-Encoding" } do
    it("refuses " .. name .. ", which is the library's own", function()
      local lines, why = compile { [name] = "x" }
      assert.is_nil(lines)
      assert.is_truthy(why:find(name, 1, true))
    end)
  end

  for _, name in ipairs { "", "a b", "a:b", "a\r\nX-Evil", "a\n", "{x}", "?a", "a\0", "(a)", "ä" } do
    it(("refuses the name %q"):format(name), function()
      assert.is_nil((compile { [name] = "x" }))
    end)
  end

  for _, value in ipairs { "a\r\nX-Evil: 1", "a\n", "\r", "a\0b" } do
    it(("refuses the value %q, and does not show it"):format(value), function()
      local lines, why = compile { ["X-A"] = "MARKER" .. value }
      assert.is_nil(lines)
      assert.is_truthy(why:find("X-A", 1, true))
      assert.is_nil(why:find("MARKER", 1, true))
    end)
  end

  it("refuses headers that are not texts by name", function()
    for _, given in ipairs { { "x" }, { ["X-A"] = 1 }, { ["X-A"] = { "x" } }, { [true] = "x" } } do
      assert.is_nil((compile(given)))
    end
  end)
end)

describe("the option headers", function()
  local server, client

  before_each(function()
    server = raw.start { script = ([[return function(conn)
      local request = conn:read_request()
      while request do
        if request.target == "/picture.png" then conn:respond(200, "\255\216\255\208 image \255\217")
        else conn:respond(200, { id = "ID", status = "completed", result_image_url = "http://127.0.0.1:1/picture.png",
          access_token = "another.token", key = "pk_another" }) end
        request = conn:read_request()
      end
    end]]):gsub("ID", ID) }
  end)

  after_each(function()
    if client then client:close() end
    server:stop()
  end)

  local function new(given, more)
    local options = wire.options(server.url, more)
    options.headers = given
    client = assert(devkit4ai.new(options))
    return client
  end

  local function last(name)
    local requests = server:requests()
    return wire.header(requests[#requests], name)
  end

  it("is sent with every call, also with a refresh", function()
    new { traceparent = TRACE }
    assert(client:me())
    assert.equal(TRACE, last "traceparent")
    assert(client:refresh_token())
    assert.equal(TRACE, last "traceparent")
    assert(client:project(ID):new_key("x"))
    assert.equal(TRACE, last "traceparent")
  end)

  it("of a call is sent only with that call, in place of the client's", function()
    new { ["X-Team"] = "blue", Keep = "kept" }
    assert(client:me { headers = { ["x-team"] = "red", traceparent = TRACE } })
    local head = server:requests()[1].head
    local _, count = head:lower():gsub("\nx%-team:", "")
    assert.equal(1, count, head)
    assert.same({ "red", "kept", TRACE }, { last "X-Team", last "Keep", last "traceparent" })
    assert(client:me())
    assert.same({ "blue", "kept" }, { last "X-Team", last "Keep" })
    assert.is_nil(last "traceparent")
  end)

  it("may have braces in a value", function()
    new { ["X-A"] = "{developer_key} {access_token} {{x}} ?{" }
    assert(client:me { headers = { ["X-B"] = "{project_key}" } })
    assert.same({ "{developer_key} {access_token} {{x}} ?{", "{project_key}" }, { last "X-A", last "X-B" })
  end)

  it("may have an empty value", function()
    new { ["X-Empty"] = "" }
    assert(client:me())
    assert.is_truthy(server:requests()[1].head:find("\r\nX-Empty:", 1, true))
  end)

  it("is refused before anything is sent, for the client and for a call", function()
    local refused, message, err = devkit4ai.new(wire.options(server.url, { headers = { authorization = "MARKER" } }))
    assert.is_nil(refused)
    assert.equal("config", err.kind)
    assert.is_truthy(message:find("authorization", 1, true))
    assert.is_nil(message:find("MARKER", 1, true))
    new {}
    for _, given in ipairs { { authorization = "x" }, { ["X-A"] = "a\nb" }, { ["X-A"] = 1 } } do
      refused, message, err = client:me { headers = given }
      assert.is_nil(refused)
      assert.same({ "config", "not_sent", "get_me" }, { err.kind, err.outcome, err.operation })
      assert.is_truthy(message:find("client:me: ", 1, true))
    end
    assert.equal(0, #server:requests())
  end)

  it("is masked in the server's responses", function()
    server:stop()
    server = raw.start { script = [[return function(conn)
      local request = conn:read_request()
      conn:respond(400, { detail = request.head })
    end]] }
    new { ["X-Secret"] = "MARKER-OF-CLIENT" }
    local _, message, err = client:me { headers = { ["X-Other"] = "MARKER-OF-CALL" } }
    assert.equal(400, err.status)
    assert.is_nil((message .. err.detail):find("MARKER", 1, true))
  end)

  it("is sent only to the API, and not to the image's server", function()
    new { traceparent = TRACE }
    local gen = client:generation(ID)
    gen.image_url = server.url .. "/picture.png"
    assert(gen:bytes { headers = { ["X-Call"] = "neon" } })
    assert.same({ "/picture.png" }, { server:requests()[1].target })
    assert.is_nil(last "traceparent")
    assert.is_nil(last "X-Call")
  end)

  it("is sent with the request for an image's URL", function()
    new {}
    local gen = client:generation(ID)
    assert.is_nil((gen:bytes { headers = { ["X-Call"] = "neon" } })) -- the address that the server names does not exist
    assert.equal("neon", wire.header(server:requests()[1], "X-Call"))
  end)

  it("is sent with every status request of a wait", function()
    new {}
    assert(client:generation(ID):wait { headers = { ["X-Call"] = "neon" } })
    assert.equal("neon", last "X-Call")
  end)
end)
