-- Failures below HTTP, and responses that can't be used: each message names the cause and what to do.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local function new(url, more)
  local options = { base_url = url, access_token = "MARKER-TOKEN", developer_key = "MARKER-KEY",
    retry = { attempts = 1 } } -- repeats are failures_spec's
  for name, value in pairs(more or {}) do options[name] = value end
  return assert(devkit4ai.new(options))
end

-- Checks that the call fails; returns its message and err.
local function failure(client)
  local user, message, err = client:me()
  assert.is_nil(user)
  assert.equal(message, tostring(err))
  assert.equal("get_me", err.operation)
  assert.is_nil((message .. tostring(err.detail)):find("MARKER", 1, true))
  client:close()
  return message, err
end

local function says(message, ...)
  for _, fragment in ipairs { ... } do assert.is_truthy(message:find(fragment, 1, true), message) end
end

describe("no server", function()
  it("is a network failure with nothing sent, names the address and asks whether it runs", function()
    local message, err = failure(new("http://127.0.0.1:" .. raw.port_closed()))
    assert.same({ "network", "not_sent", true, 1 }, { err.kind, err.outcome, err.retryable, err.attempts })
    says(message, "client:me: 127.0.0.1:1 (connect", "check that the server runs, and that base_url is correct")
  end)
end)

describe("a name that does not resolve", function()
  local function script(timeout)
    return ([[
      local client = assert(require("devkit4ai").new { base_url = "https://slow.test", access_token = "t", %s })
      local user, message, err = client:me()
      print(err.kind, err.outcome, err.retryable, message)
    ]]):format(timeout or "")
  end

  it("is a network failure with nothing sent, and names the name and base_url", function()
    local ended = child.run(script(), { preload = "slow_getaddrinfo", env = { SLOW_RESOLVE_NAME = "slow.test" } })
    assert.equal("", ended.err)
    assert.equal(0, ended.code)
    assert.matches("^network\tnot_sent\ttrue\tclient:me: slow.test %(name look%-up", ended.out)
    says(ended.out, "check the host name in base_url")
  end)

  it("does not delay a call past its connect limit", function()
    local ended = child.run(script "timeout = { connect = 0.2 }", { preload = "slow_getaddrinfo",
      env = { SLOW_RESOLVE_NAME = "slow.test", SLOW_RESOLVE_SECONDS = "1000" } })
    assert.equal(0, ended.code)
    assert.matches("^timeout\tnot_sent\ttrue\tclient:me: slow.test %(name look%-up", ended.out)
    says(ended.out, "pass a larger timeout")
  end)
end)

describe("a server with its own certificate", function()
  local server
  setup(function()
    server = raw.start { tls = true, script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
  end)
  teardown(function() server:stop() end)

  it("is a tls failure with nothing sent, and names the roots in use and the option ca_file", function()
    local message, err = failure(new(server.url))
    assert.same({ "tls", "not_sent", false }, { err.kind, err.outcome, err.retryable })
    says(message, "client:me: localhost:", "(TLS", "certificate", "trusted roots: /", "the option ca_file")
    assert.equal(0, #server:requests())
  end)

  it("is trusted with ca_file", function()
    local client = new(server.url, { ca_file = server.ca_file })
    assert(client:me())
    client:close()
  end)

  it("is not trusted with a name that the certificate does not have", function()
    local ended = child.run([=[
      local user, message, err = assert(require("devkit4ai").new {
        base_url = "https://other.test:" .. arg[1], ca_file = arg[2], access_token = "t" }):me()
      print(user, err.kind, err.outcome)
    ]=], { args = { tostring(server.port), server.ca_file }, preload = "slow_getaddrinfo",
      env = { SLOW_RESOLVE_NAME = "other.test", SLOW_RESOLVE_ADDRESS = "127.0.0.1" } })
    assert.equal("nil\ttls\tnot_sent\n", ended.out, ended.err)
  end)

  it("is a tls failure that names the file if ca_file can't be read", function()
    local message, err = failure(new(server.url, { ca_file = "/nowhere/ca.pem" }))
    assert.same({ "tls", "not_sent" }, { err.kind, err.outcome })
    says(message, "/nowhere/ca.pem", "the option ca_file")
  end)
end)

describe("a server that does not speak TLS", function()
  it("is a tls failure with nothing sent", function()
    local server = raw.start { script = [[return function(conn) conn:write("HTTP/1.0 400 Bad Request\r\n\r\n") end]] }
    finally(function() server:stop() end)
    local _, err = failure(new("https://127.0.0.1:" .. server.port))
    assert.same({ "tls", "not_sent" }, { err.kind, err.outcome })
  end)
end)

-- What the server does with a request | kind, outcome, status, retryable | words of the message
local ANSWERS = {
  { "cut in its body", [[conn:write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"') conn:close()]],
    "network", "unknown", 200, true, { "client:me: 127.0.0.1:", "(body, after " } },
  { "cut in its head", [[conn:write("HTTP/1.1 200 OK\r\nContent-") conn:close()]],
    "network", "unknown", 200, true, { "(body, after " } },
  { "HTML with 503", [[conn:respond(503, "<html><h1>Busy</h1>", { ["Content-Type"] = "text/html" })]],
    "server", "unknown", 503, true, { "the server answered 503", "try again later" } },
  { "HTML with 200", [[conn:respond(200, "<html>Welcome</html>", { ["Content-Type"] = "text/html" })]],
    "protocol", "unknown", 200, true,
    { "the response (200) can't be used: it is not JSON", "check that base_url is the address" } },
  { "broken JSON", [[conn:respond(200, '{"id": ')]],
    "protocol", "unknown", 200, true, { "it is not JSON" } },
  { "JSON of 1001 levels", [[conn:respond(200, ("["):rep(1001) .. ("]"):rep(1001))]],
    "protocol", "unknown", 200, true, { "too many nested" } },
  { "a million brackets", [[conn:respond(200, ("["):rep(1000000))]],
    "protocol", "unknown", 200, true, { "too many nested" } },
  { "a number", "conn:respond(200, '5')", "protocol", "unknown", 200, true, { "it is not an object or a list" } },
  { "without an id", "conn:respond(200, '{}')", "protocol", "unknown", 200, true, { "it has no id" } },
  { "more than 16 MiB, and says so", [[conn:respond(200, (" "):rep(16 * 1024 * 1024 + 1))]],
    "protocol", "unknown", 200, false, { "more than 16777216 bytes", "check base_url" } },
  { "more than 16 MiB in chunks", [[conn:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while conn:write("100000\r\n" .. (" "):rep(1024 * 1024) .. "\r\n") do end]],
    "protocol", "unknown", 200, false, { "more than 16777216 bytes" } },
  { "a head of more than 64 KiB", [[conn:write("HTTP/1.1 200 OK\r\n")
    for i = 1, 80 do conn:write("X-" .. i .. ": " .. ("x"):rep(1000) .. "\r\n") end]],
    "protocol", "unknown", 200, false, { "headers" } },
  { "no HTTP", [[conn:write("SSH-2.0-OpenSSH_9.2\r\n") conn:close()]],
    "protocol", "unknown", nil, true, { "check that base_url is the address" } },
  { "a redirect", [[conn:respond(307, "", { Location = "http://127.0.0.1:1/" })]],
    "protocol", "unknown", 307, true, { "the server answered 307" } },
  { "404", [[conn:respond(404, { detail = "Not Found" })]],
    "not_found", "refused", 404, false, { "the server answered 404: Not Found", "check the id" } },
  { "429 with a time in its body", [[conn:respond(429, { detail = "Rate limit exceeded", retry_after = 3600 })]],
    "rate_limited", "refused", 429, true, { "Rate limit exceeded", "wait 3600 s" } },
  { "429 with a fraction", [[conn:respond(429, "{}", { ["Retry-After"] = "1.5" })]],
    "rate_limited", "refused", 429, true, { "wait 1.5 s" } },
  { "429 with several times", [[conn:respond(429, { retry_after = 7 },
    { ["Retry-After"] = "3", ["X-RateLimit-Reset"] = "1" })]],
    "rate_limited", "refused", 429, true, { "wait 7 s" } },
  { "429 with the time of its end", [[conn:respond(429, { retry_after = 7 },
    { ["X-RateLimit-Reset"] = tostring(os.time() + 3000) })]],
    "rate_limited", "refused", 429, true, { "wait " }, from = 2000 },
  { "429 without a time", [[conn:respond(429, "slow down")]],
    "rate_limited", "refused", 429, true, { "wait 60 s" } },
  { "429 with a time below 0", [[conn:respond(429, "{}", { ["Retry-After"] = "-1" })]],
    "rate_limited", "refused", 429, true, { "wait 60 s" } },
  { "429 with a time that is none", [[conn:respond(429, { retry_after = "soon" }, { ["Retry-After"] = "soon" })]],
    "rate_limited", "refused", 429, true, { "wait 60 s" } },
  { "429 with an exponent in its header", [[conn:respond(429, "{}", { ["Retry-After"] = "1e9" })]],
    "rate_limited", "refused", 429, true, { "wait 60 s" } },
  { "429 with thirty years in its body", [[conn:respond(429, { retry_after = 1e9 })]],
    "rate_limited", "refused", 429, true, { "wait 1e+09 s" }, from = 1e9 },
  { "429 with a date", [[conn:respond(429, "{}", { ["Retry-After"] = os.date("!%a, %d %b %Y %H:%M:%S GMT",
    os.time() + 3000) })]],
    "rate_limited", "refused", 429, true, { "wait " }, from = 2000 },
  { "429 with a date that is over", [[conn:respond(429, "{}", { ["Retry-After"] = "Sun, 06 Nov 1994 08:49:37 GMT" })]],
    "rate_limited", "refused", 429, true, { "wait" } },
  { "429 that may be asked again at once", [[conn:respond(429, "{}", { ["Retry-After"] = "0" })]],
    "rate_limited", "refused", 429, true, { "wait before the next call" } },
  { "402", [[conn:respond(402, { detail = "Payment Required" })]],
    "protocol", "unknown", 402, false, { "the server answered 402" } },
}

describe("an answer that is", function()
  for _, row in ipairs(ANSWERS) do
    it(row[1] .. " is a failure of kind " .. row[3], function()
      local server = raw.start { script = "return function(conn) conn:read_request() " .. row[2] .. " end" }
      finally(function() server:stop() end)
      local message, err = failure(new(server.url))
      assert.same({ row[3], row[4], row[5], row[6], 1 },
        { err.kind, err.outcome, err.status, err.retryable, err.attempts })
      assert.is_true((err.retry_after or 0) >= (row.from or 0))
      says(message, (table.unpack or unpack)(row[7])) -- luacheck: ignore 113
    end)
  end

  it("with an X-Request-ID has it in err.request_id", function()
    local server = raw.start { script = [[return function(conn)
      conn:read_request() conn:respond(500, { detail = "Oops" }, { ["x-request-id"] = "r-17" }) end]] }
    finally(function() server:stop() end)
    local _, err = failure(new(server.url))
    assert.same({ "r-17", "Oops" }, { err.request_id, err.detail })
  end)

  it("missing ends the call at its total limit", function()
    local server = raw.start { script = "return function(conn) conn:read_request() conn:sleep(1000) end" }
    finally(function() server:stop() end)
    local message, err = failure(new(server.url, { timeout = { total = 1 } }))
    assert.same({ "timeout", "unknown", true }, { err.kind, err.outcome, err.retryable })
    says(message, "(wait, after ", "the time for the whole call is over", "pass a larger timeout")
  end)

  it("missing ends the call at its own timeout", function()
    local server = raw.start { script = "return function(conn) conn:read_request() conn:sleep(1000) end" }
    finally(function() server:stop() end)
    local account, message, err = new(server.url):me { timeout = 1 }
    assert.is_nil(account)
    assert.same({ "timeout", "unknown" }, { err.kind, err.outcome })
    says(message, "the time for the whole call is over")
  end)

  it("missing ends the call at its idle limit", function()
    local server = raw.start { script = "return function(conn) conn:read_request() conn:sleep(1000) end" }
    finally(function() server:stop() end)
    local message, err = failure(new(server.url, { timeout = { idle = 1 } }))
    assert.same({ "timeout", "unknown" }, { err.kind, err.outcome })
    says(message, "no data was sent or received")
  end)
end)
