-- Proxies and roots at the core: what a proxy sees, what becomes of a request where one fails, and that two clients of
-- one engine never use each other's connections. Connections and requests are counted at the servers.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local raw = require "spec.support.servers.raw"

local PATIENCE = 20 -- seconds

local ORIGIN = [[return function(conn)
  while conn:read_request() do conn:respond(200, "{}") end
end]]

-- Reads CONNECT, lets through who has one of the logins (all, if there are none), and carries bytes both ways.
local PROXY = [[
local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local signal = require "cqueues.signal"
local LOGINS = %s -- base64
signal.ignore(signal.SIGPIPE) -- a client that does not like our certificate goes at once

local function carry(from, to)
  pcall(function() -- the other direction may have ended, and closed both
    for bytes in function() return from:read(-65536) end do to:write(bytes) end
    to:shutdown("w")
  end)
end

return function(conn)
  local head = conn:read_head()
  if not head then return end -- under TLS 1.3 a client refuses our certificate after the handshake
  local login = head:match("\r\nProxy%%-Authorization: Basic (%%S+)\r\n")
  if LOGINS and not LOGINS[login] then return conn:respond(407, "{}", { ["Proxy-Authenticate"] = "Basic" }) end
  local server = socket.connect("127.0.0.1", tonumber(head:match("^CONNECT [^:]+:(%%d+) ")))
  server:setmode("bn", "bn")
  server:onerror(function(_, _, reason) return reason end)
  conn:write("HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
  cqueues.running():wrap(function() carry(server, conn.socket) end)
  carry(conn.socket, server)
end]]

-- The same by SOCKS 5 (RFC 1928, 1929), for names and IPv4 addresses.
local SOCKS = [[
local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local LOGIN = %s

local function carry(from, to)
  pcall(function() -- the other direction may have ended, and closed both
    for bytes in function() return from:read(-65536) end do to:write(bytes) end
    to:shutdown("w")
  end)
end

local function text(conn) return conn:read(conn:read(1):byte()) end

return function(conn)
  conn:read(1)
  local methods = text(conn)
  if LOGIN and not methods:find("\2", 1, true) then return conn:write("\5\255") end
  conn:write(LOGIN and "\5\2" or "\5\0")
  if LOGIN then
    conn:read(1)
    local login = text(conn) .. ":" .. text(conn)
    conn:write(login == LOGIN and "\1\0" or "\1\1")
    if login ~= LOGIN then return end
  end
  local kind = conn:read(4):byte(4)
  local host = kind == 3 and text(conn) or conn:read(4)
  local high, low = conn:read(2):byte(1, 2)
  if host == "refused.test" then return conn:write("\5\5\0\1\0\0\0\0\0\0") end
  local server = socket.connect("127.0.0.1", high * 256 + low)
  server:setmode("bn", "bn")
  server:onerror(function(_, _, reason) return reason end)
  conn:write("\5\0\0\1\127\0\0\1\0\0")
  cqueues.running():wrap(function() carry(server, conn.socket) end)
  carry(conn.socket, server)
end]]

-- Servers end with their spec.
local function start(script, tls)
  local server = raw.start { script = script, tls = tls }
  finally(function() server:stop() end)
  return server
end

local function stop_all(...)
  local servers = { ... }
  finally(function()
    for _, server in ipairs(servers) do server:stop() end
  end)
end

local function run(script, tls) return raw.start { script = script, tls = tls } end

-- A client as the core sees one: its secrets and what stays the same in its requests.
local function client(engine, fields, login)
  local secrets = core.secrets()
  assert(secrets:set("token", "MARKER-TOKEN"))
  if login then assert(secrets:set("proxy_login", login)) end
  return function(url, more)
    local request = { method = "GET", url = url, headers = core.headers { "Authorization: Bearer {token}" } }
    for name, value in pairs(fields) do request[name] = value end
    for name, value in pairs(more or {}) do request[name] = value end
    assert(engine:submit(core.request(request), secrets))
    local ends = core.now() + PATIENCE
    while core.now() < ends do
      local id, _, status, _, _, trouble = engine:next(1)
      if id then return status, trouble end
    end
    error("no answer came")
  end
end

local function is_answered(status, trouble)
  assert.is_nil(trouble, trouble and ("%s: %s"):format(trouble.name, trouble.text))
  assert.equal(200, status)
end

local function fails(name, step, status, trouble, ...)
  assert.equal(0, status)
  assert.same({ name, step, "not_sent" }, { trouble.name, trouble.step, trouble.fate }, trouble.text)
  for _, fragment in ipairs { ... } do assert.is_truthy(trouble.text:find(fragment, 1, true), trouble.text) end
end

local engine
before_each(function() engine = core.engine() end)
after_each(function() engine:close() end)

describe("a request through a proxy", function()
  it("is one CONNECT that shows nothing of ours, and the request to the server alone", function()
    local origin, proxy = run(ORIGIN, true), run(PROXY:format("nil"))
    stop_all(origin, proxy)
    local ask = client(engine, { proxy = proxy.url, ca_file = origin.ca_file })
    for _ = 1, 3 do is_answered(ask(origin.url .. "/path")) end
    local seen = proxy:requests()
    assert.same({ 1, 1, 3 }, { #seen, origin:connections(), #origin:requests() })
    assert.matches("^CONNECT localhost:%d+ HTTP/1.1\r\nHost: localhost:%d+\r\n", seen[1].head)
    assert.is_nil(seen[1].head:find("Authorization", 1, true), seen[1].head)
    assert.is_truthy(origin:requests()[1].head:find("\r\nAuthorization: Bearer MARKER-TOKEN\r\n", 1, true))
    assert.is_nil(origin:requests()[1].head:find("Proxy", 1, true))
  end)

  it("shows its head to the caller without the proxy's", function()
    local origin, proxy = run(ORIGIN, true), run(PROXY:format("nil"))
    stop_all(origin, proxy)
    local secrets = core.secrets()
    assert(engine:submit(core.request { method = "GET", url = origin.url, headers = core.headers {}, head = true,
      proxy = proxy.url, ca_file = origin.ca_file }, secrets))
    local head
    repeat head = select(5, engine:next(1)) until head
    assert.is_nil(head:find("X-Proxy", 1, true))
    assert.equal("application/json", core.header(head, "Content-Type"))
  end)

  it("takes the login to the proxy alone, as it is", function()
    local origin, proxy = run(ORIGIN, true), run(PROXY:format('{ ["bcO8cjpwOkAlNDE="] = true }'))
    stop_all(origin, proxy)
    local fields = { proxy = proxy.url, ca_file = origin.ca_file }
    is_answered(client(engine, fields, "m\195\188r:p:@%41")(origin.url))
    assert.is_nil(origin:requests()[1].head:find("bcO8", 1, true))
  end)

  it("is sent once, and its fate is unknown, where the server behind it dies", function()
    local origin = run([[return function(conn) conn:read_request() conn:close() end]], true)
    local proxy = run(PROXY:format("nil"))
    stop_all(origin, proxy)
    local fields = { proxy = proxy.url, ca_file = origin.ca_file, once = true, method = "POST", json = "{}" }
    local _, trouble = client(engine, fields)(origin.url)
    assert.same({ "cut", "wait", "unknown" }, { trouble.name, trouble.step, trouble.fate })
    assert.equal(1, #origin:requests())
  end)

  it("heeds no proxy and no exemption of the environment", function()
    local origin, proxy, wrong = run(ORIGIN, true), run(PROXY:format("nil")), run(PROXY:format("nil"))
    stop_all(origin, proxy, wrong)
    local env = { no_proxy = "*", NO_PROXY = "*" }
    for _, name in ipairs { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
      env[name] = wrong.url
    end
    local ended = child.run([=[
      local core = require "devkit4ai.core"
      local engine, secrets = core.engine(), core.secrets()
      for i = 1, 3 do
        engine:submit(core.request { method = "GET", url = arg[1], ca_file = arg[2], headers = core.headers {},
          proxy = i == 2 and arg[3] or nil }, secrets)
        local id, status
        repeat id, _, status = engine:next(1) until id
        io.write(status, " ")
      end
    ]=], { args = { origin.url, origin.ca_file, proxy.url }, env = env })
    assert.equal("200 200 200 ", ended.out, ended.err)
    assert.same({ 2, 1, 0 }, { origin:connections(), proxy:connections(), wrong:connections() })
  end)

  it("goes through a SOCKS proxy, with its login", function()
    local origin, proxy = run(ORIGIN, true), run(SOCKS:format('"user:pa:s%s@%41"'))
    stop_all(origin, proxy)
    local fields = { proxy = "socks5h://127.0.0.1:" .. proxy.port, ca_file = origin.ca_file, once = true }
    is_answered(client(engine, fields, "user:pa:s%s@%41")(origin.url))
    fails("proxy", "proxy", client(engine, fields, "user:wrong")(origin.url))
    fails("proxy", "proxy", client(engine, fields)(origin.url))
    assert.equal(1, #origin:requests())
  end)

  it("goes through a proxy that speaks TLS, under the same roots", function()
    local origin, proxy = run(ORIGIN, true), run(PROXY:format("nil"), true)
    stop_all(origin, proxy)
    local both = os.tmpname()
    local file = assert(io.open(both, "wb"))
    for _, server in ipairs { origin, proxy } do
      for line in io.lines(server.ca_file) do file:write(line, "\n") end
    end
    file:close()
    is_answered(client(engine, { proxy = proxy.url, ca_file = both })(origin.url))
    fails("tls", "proxy", client(engine, { proxy = proxy.url, ca_file = origin.ca_file })(origin.url))
    local _, trouble = client(engine, { proxy = proxy.url, ca_file = proxy.ca_file })(origin.url)
    assert.same({ "TLS", "not_sent" }, { trouble.step, trouble.fate }) -- within TLS, OpenSSL hides from libcurl why
    os.remove(both)
    assert.equal(1, #origin:requests())
  end)
end)

describe("a proxy that fails", function()
  local origin
  setup(function() origin = raw.start { script = ORIGIN, tls = true } end)
  teardown(function()
    origin:stop()
    assert.equal(0, #origin:requests())
  end)

  -- a creating call, which must not be sent
  local function ask(proxy)
    local fields = { proxy = proxy, ca_file = origin.ca_file, once = true, method = "POST", json = "{}" }
    return client(engine, fields)(origin.url)
  end

  it("by not being there is a failed connection that names the proxy", function()
    local status, trouble = ask("http://127.0.0.1:" .. raw.port_closed())
    fails("connect", "proxy", status, trouble, "the proxy http://127.0.0.1:1: ")
  end)

  it("by having no address is a failed look-up that names the proxy", function()
    local status, trouble = ask("http://name.invalid:3128")
    fails("lookup", "proxy", status, trouble, "the proxy http://name.invalid:3128: ")
  end)

  for _, row in ipairs {
    { "asking for a login", "conn:read_head() conn:respond(407, '{}')", "proxy", "407" },
    { "forbidding it", "conn:read_head() conn:respond(403, '{}')", "proxy", "403" },
    { "not reaching the server", "conn:read_head() conn:respond(502, '{}')", "connect", "502" },
    { "closing without an answer", "conn:read_head()", "cut", "the proxy http://127.0.0.1:" },
    { "resetting", "conn:read_head() conn:reset()", "cut", "the proxy http://127.0.0.1:" },
    -- "cut" to libcurl 7, "connect" to libcurl 8.22
    { "speaking something else", "conn:read_head() conn:write('SSH-2.0\\r\\n\\r\\n')", nil, "the proxy http://" },
  } do
    it("by " .. row[1] .. " leaves the request unsent", function()
      local proxy = start("return function(conn) " .. row[2] .. " end")
      local status, trouble = ask(proxy.url)
      fails(row[3] or trouble.name, "proxy", status, trouble, row[4])
      assert.equal(1, proxy:connections())
    end)
  end

  it("by silence is a time-out of the connection, with the request unsent", function()
    local proxy = start("return function(conn) conn:read_head() conn:sleep(1000) end")
    local status, trouble = client(engine, { proxy = proxy.url, once = true, connect = 0.2 })(origin.url)
    fails("timeout", "proxy", status, trouble)
  end)

  it("by SOCKS' refusal of the host is a failed connection", function()
    local proxy = start(SOCKS:format("nil"))
    local ask_host = client(engine, { proxy = "socks5h://127.0.0.1:" .. proxy.port })
    local status, trouble = ask_host("https://refused.test/")
    fails("connect", "proxy", status, trouble)
  end)
end)

describe("two clients of one engine", function()
  it("with different logins at one proxy never share a connection", function()
    local origin, proxy = run(ORIGIN, true), run(PROXY:format("nil"))
    stop_all(origin, proxy)
    local fields = { proxy = proxy.url, ca_file = origin.ca_file }
    local one, other = client(engine, fields, "one:1"), client(engine, fields, "other:2")
    local nobody = client(engine, fields)
    local function count(...)
      for _, ask in ipairs { ... } do is_answered(ask(origin.url)) end
      return proxy:connections()
    end
    assert.equal(1, count(one, one))
    assert.equal(3, count(other, other)) -- each on a connection of its own
    assert.equal(3, count(one))
    assert.equal(4, count(nobody))
    assert.equal(4, count(one))
    local logins = {}
    for i, request in ipairs(proxy:requests()) do
      logins[i] = request.head:match("Proxy%-Authorization: Basic (%S+)") or "none"
    end
    assert.same({ "b25lOjE=", "b3RoZXI6Mg==", "b3RoZXI6Mg==", "none" }, logins)
    assert.equal(7, #origin:requests())
  end)

  it("never use a connection that a refused login did not get", function()
    local origin, proxy = run(ORIGIN, true), run(PROXY:format('{ ["b3RoZXI6Mg=="] = true }')) -- other:2
    stop_all(origin, proxy)
    local fields = { proxy = proxy.url, ca_file = origin.ca_file }
    local one, other = client(engine, fields, "one:1"), client(engine, fields, "other:2")
    for _ = 1, 2 do
      fails("proxy", "proxy", one(origin.url))
      is_answered(other(origin.url))
    end
    assert.equal(2, #origin:requests())
  end)

  it("through different proxies, or none, never share a connection", function()
    local origin, one, other = run(ORIGIN, true), run(PROXY:format("nil")), run(PROXY:format("nil"))
    stop_all(origin, one, other)
    for _ = 1, 2 do
      for _, proxy in ipairs { one.url, other.url, false } do
        is_answered(client(engine, { proxy = proxy or nil, ca_file = origin.ca_file })(origin.url))
      end
    end
    assert.same({ 1, 1, 3, 6 }, { one:connections(), other:connections(), origin:connections(), #origin:requests() })
  end)

  -- with `once` it is the kept TLS session that must not be used, without it the kept connection
  for _, once in ipairs { false, true } do
    it("with different CA files never share a connection" .. (once and " nor a session" or ""), function()
      local origin, stranger = run(ORIGIN, true), run(ORIGIN, true)
      stop_all(origin, stranger)
      local trusting = client(engine, { ca_file = origin.ca_file })
      for _ = 1, 3 do
        is_answered(trusting(origin.url))
        for _, ca_file in ipairs { stranger.ca_file, false } do
          fails("tls", "TLS", client(engine, { ca_file = ca_file or nil, once = once })(origin.url))
        end
      end
      assert.equal(3, #origin:requests())
      assert.equal(7, origin:connections()) -- the trusting one's, kept, and six that came to nothing
    end)
  end
end)
