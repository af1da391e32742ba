-- The proxy of a request, and what it gets: an address and its own login, no other secret.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local proxy = require "devkit4ai.request.proxy"
local raw = require "spec.support.servers.raw"
local tunnel = require "spec.support.servers.tunnel"
local wire = require "spec.support.calls.wire"

describe("proxy.parse", function()
  for text, parts in pairs {
    ["proxy:3128"] = { "http://proxy:3128" }, ["http://proxy:3128/"] = { "http://proxy:3128" },
    ["HTTP://Proxy"] = { "http://Proxy" }, ["https://proxy:8443"] = { "https://proxy:8443" },
    ["socks5h://127.0.0.1:1080"] = { "socks5h://127.0.0.1:1080" },
    ["socks://127.0.0.1:1080/"] = { "socks://127.0.0.1:1080" },
    ["socks4://proxy"] = { "socks4://proxy" }, ["SOCKS4A://proxy"] = { "socks4a://proxy" },
    ["http://my_proxy:1"] = { "http://my_proxy:1" },
    ["[::1]:3128"] = { "http://[::1]:3128" },
    ["user:word@proxy:3128"] = { "http://proxy:3128", "user:word" },
    ["http://user:p%40ss%3Aword@proxy"] = { "http://proxy", "user:p@ss:word" },
    ["http://user:p@ss@proxy"] = { "http://proxy", "user:p@ss" }, ["http://user@proxy"] = { "http://proxy", "user" },
  } do
    it("parses " .. text, function() assert.same(parts, { proxy.parse(text) }) end)
  end

  for _, text in ipairs { "", "http://", "ftp://proxy", "socks6://proxy", "http://proxy:port", "http://pro xy",
    "http://proxy/path", "http://proxy\r\nX: y", "http://[::1", "user:word@" } do
    it(("refuses %q, and shows no password"):format(text), function()
      local url, why = proxy.parse(text)
      assert.is_nil(url)
      assert.is_nil(why:find("word", 1, true))
    end)
  end
end)

describe("proxy.of_environment", function()
  local function of(environment)
    return { proxy.of_environment(function(name) return environment[name] end) }
  end

  it("is https_proxy, then all_proxy, lower case first, as for curl; http_proxy never", function()
    assert.same({ "a", true, "", "https_proxy" }, of { https_proxy = "a", HTTPS_PROXY = "b", all_proxy = "c" })
    assert.same({ "b", true, "", "HTTPS_PROXY" }, of { HTTPS_PROXY = "b", all_proxy = "c" })
    assert.same({ "c", false, "", "all_proxy" }, of { all_proxy = "c", ALL_PROXY = "d" })
    assert.same({ "d", false, "x,y", "ALL_PROXY" }, of { ALL_PROXY = "d", NO_PROXY = "x,y" })
    assert.same({ nil, false, "" }, of { http_proxy = "a", HTTP_PROXY = "b", https_proxy = "" })
  end)
end)

describe("proxy.of", function()
  local function through(url, fields)
    local its = { url = "http://proxy", https_only = false, exempt = "" }
    for name, value in pairs(fields or {}) do its[name] = value end
    return proxy.of(its, url) ~= nil
  end

  it("is nil without a proxy", function() assert.is_nil(proxy.of(nil, "https://a")) end)
  it("is nil for this machine", function()
    for _, host in ipairs { "localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]" } do
      assert.is_false(through("https://" .. host .. ":8000/x"), host)
    end
    assert.is_true(through "https://127.0.0.1.example.com")
    assert.is_true(through "https://localhost.example.com")
  end)
  it("is not https_proxy for plain http", function()
    assert.is_false(through("http://a", { https_only = true }))
    assert.is_true(through("https://a", { https_only = true }))
    assert.is_true(through "http://a")
  end)
  it("is nil for the hosts of no_proxy", function()
    for _, list in ipairs { "example.com", ".example.com", "*.example.com", "other, example.com", "other example.com",
      "EXAMPLE.COM", "example.com:443", "*" } do
      assert.is_false(through("https://api.example.com/x", { exempt = list }), list)
    end
    assert.is_false(through("https://example.com", { exempt = ".example.com" }))
    for _, list in ipairs { "", "ample.com", "api.example.org", "example.com.evil", "xample.com" } do
      assert.is_true(through("https://api.example.com", { exempt = list }), list)
    end
  end)

  -- host, entry, whether the proxy is left out: curl's lib/noproxy.c and tests/unit/unit1614.c, and ports beside
  for _, row in ipairs {
    { "example.com.", "example.com", true }, { "example.com", "example.com.", true },
    { "a.example.com.", ".example.com.", true },
    { "example.com:8443", "example.com:8443", true }, { "example.com:8443", "example.com", true },
    { "example.com", "example.com:443", true }, { "example.com", "example.com:8443", false },
    { "example.com", ",, \t example.com ,", true }, { "example.com", ".", false }, { "example.com", ":443", false },
    { "192.168.0.1", "192.168.0.1", true }, { "192.168.0.1", "168.0.1", false }, { "192.168.0.1", ".168.0.1", false },
    { "192.168.0.1", "192.168.0.0/16", true }, { "192.169.0.1", "192.168.0.0/16", false },
    { "192.168.0.1", "192.168.0.0/24", true }, { "192.168.1.1", "192.168.0.0/24", false },
    { "192.168.0.127", "192.168.0.0/25", true }, { "192.168.0.128", "192.168.0.0/25", false },
    { "192.168.0.1", "192.168.0.1/32", true }, { "192.168.0.1", "192.168.0.0/33", false },
    { "10.1.2.3", "10.0.0.0/8", true }, { "11.1.2.3", "10.0.0.0/8", false }, { "10.1.2.3", "10.0.0.0/x", false },
    { "10.1.2.3", "0.0.0.0/0", false }, { "10.1.2.3", "10.1.2.3:443", true }, { "10.1.2.3", "10.1.2.3:80", false },
    { "10.1.2.3", "300.1.2.3", false }, { "[fd00::1]", "fd00::1", true }, { "[fd00::1]", "[fd00::1]", true },
    { "[fd00::1]", "[fd00::1]:443", true }, { "[fd00::1]", "[fd00::1]:80", false },
    { "[fd00::1]", "FD00:0:0::0:1", true },
    { "[fd00::1]", "fd00::/8", true }, { "[fe00::1]", "fd00::/8", false }, { "[fd00::1]", "[fd00::]/8", true },
    { "[fd00::1%25eth0]", "fd00::1", true }, { "[2001:db8::1]", "2001:db8::/33", true },
    { "[2001:db8:8000::1]", "2001:db8::/33", false }, { "[::ffff:10.1.2.3]", "::ffff:0a01:0203", true },
    { "[fd00::1]", "fd00::1::", false }, { "[fd00::1]", "fd00::/129", false }, { "[fd00::1]", ":1", false },
    { "10.1.2.3", "fd00::1", false }, { "[fd00::1]", "10.0.0.0/8", false }, { "example.com", "10.0.0.0/8", false },
  } do
    it(("of %s with no_proxy=%s is %s"):format(row[1], row[2], row[3] and "none" or "used"), function()
      assert.equal(not row[3], through("https://" .. row[1] .. "/x", { exempt = row[2] }))
    end)
  end

  it("that can't be used fails only the calls that need it", function()
    local broken = { why = "it is broken", https_only = true, exempt = "example.com" }
    for _, url in ipairs { "http://a", "https://example.com", "https://127.0.0.1" } do
      assert.same({}, { proxy.of(broken, url) }, url)
    end
    assert.same({ nil, "it is broken" }, { proxy.of(broken, "https://a") })
  end)
end)

describe("a proxy setting that can't be used", function()
  local SCRIPT = [[
    local client, message, err = require("devkit4ai").new { base_url = ..., access_token = "t" }
    if not client then print(err.kind, message) os.exit() end
    local gen = client:generation "550e8400-e29b-41d4-a716-446655440000"
    gen.image_url = "https://pictures.test/a.png"
    print("made", (select(2, gen:bytes())))
  ]]

  local function run(base_url, environment)
    local ended = child.run(SCRIPT, { args = { base_url }, env = environment })
    assert.equal(0, ended.code, ended.err)
    assert.is_nil(ended.out:find("MARK", 1, true), ended.out)
    return ended.out
  end

  for name, value in pairs {
    https_proxy = "ftp://user:MARK@proxy", all_proxy = "quic://MARK", HTTPS_PROXY = "http://user:MARK\n@proxy",
    ALL_PROXY = "http://[MARK",
  } do
    it(("fails only the calls that need it: %s"):format(name), function()
      for _, case in ipairs {
        { "http://127.0.0.1:1" }, { "https://localhost:1" }, { "https://[::1]:1" }, { "https://api.test", "api.test" },
      } do
        local out = run(case[1], { [name] = value, no_proxy = case[2] or "" })
        assert.matches("^made\t", out)
        assert.matches("gen:bytes: the environment variable " .. name .. " is not a valid proxy", out)
      end
      assert.matches("^config\tdevkit4ai.new: the environment variable " .. name .. " is not a valid proxy",
        run("https://api.test", { [name] = value }))
    end)
  end

  it("is ignored with no_proxy=*", function()
    local client = child.run([[print(require("devkit4ai").new { base_url = "https://api.test" })]],
      { env = { all_proxy = "socks9://x", no_proxy = "*" } })
    assert.matches("^devkit4ai.Client", client.out)
  end)
end)

describe("a client with a proxy", function()
  local api, proxy_server, client

  before_each(function()
    api = raw.start { tls = true, script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
  end)

  after_each(function()
    if client then client:close() end
    client = nil
    api:stop()
    if proxy_server then proxy_server:stop() end
    proxy_server = nil
  end)

  local function open_proxy(answer)
    proxy_server = raw.start { script = tunnel(api.port, answer) }
    return ("127.0.0.1:%d"):format(proxy_server.port)
  end

  local function new(through, more)
    local options = wire.options("https://api.test:" .. api.port, { ca_file = api.ca_file, proxy = through })
    options.headers = { traceparent = "00-MARKER-01" }
    for name, value in pairs(more or {}) do options[name] = value end
    client = assert(devkit4ai.new(options))
    return client
  end

  it("connects through it, and sends it only its own login and the host", function()
    assert(new("user:pa%20ss@" .. open_proxy()):me())
    local request = proxy_server:requests()[1]
    assert.same({ "CONNECT", "api.test:" .. api.port }, { request.method, request.target })
    assert.equal("Basic dXNlcjpwYSBzcw==", wire.header(request, "Proxy-Authorization"))
    local lines = {}
    for name in request.head:gmatch("\n([%w-]+):") do lines[#lines + 1] = name end
    table.sort(lines)
    assert.same({ "Host", "Proxy-Authorization", "Proxy-Connection" }, lines)
    assert.equal("00-MARKER-01", wire.header(api:requests()[1], "traceparent"))
    assert.is_nil(wire.header(api:requests()[1], "Proxy-Authorization"))
  end)

  it("keeps the connection open for the next call of the process's first login", function()
    assert(new("user:pa%20ss@" .. open_proxy()):me())
    assert(client:me())
    assert.equal(1, proxy_server:connections())
    assert.equal(2, #api:requests())
  end)

  it("shares the connection with no client that has another login, or none", function()
    local address = open_proxy()
    assert(new("one:1@" .. address):me())
    local first = client
    assert(new("two:2@" .. address):me())
    first:close()
    client:close()
    assert(new(address):me())
    assert.equal(3, proxy_server:connections())
    local logins = {}
    for i, request in ipairs(proxy_server:requests()) do
      logins[i] = wire.header(request, "Proxy-Authorization") or "none"
    end
    assert.same({ "Basic b25lOjE=", "Basic dHdvOjI=", "none" }, logins)
  end)

  it("reports a proxy that needs a login, sends nothing to the API, and shows no password", function()
    local user, message, err = new("user:MARKER@"
      .. open_proxy [[conn:respond(407, "", { ["Proxy-Authenticate"] = "Basic" }) do return end]],
      { retry = { attempts = 1 } }):me()
    assert.is_nil(user)
    assert.same({ "network", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("proxy", 1, true), message)
    assert.equal(1, proxy_server:connections())
    assert.is_nil(message:find("MARKER", 1, true))
    assert.equal(0, api:connections())
  end)

  it("that can't be reached is named, with the option proxy", function()
    local options = { base_url = "https://api.test", access_token = "t", retry = { attempts = 1 } }
    for _, address in ipairs { "http://127.0.0.1:1", "socks5h://127.0.0.1:1" } do
      options.proxy = address
      local user, message, err = assert(devkit4ai.new(options)):me()
      assert.same({ nil, "network", "not_sent" }, { user, err.kind, err.outcome })
      assert.is_truthy(message:find("the proxy " .. address, 1, true), message)
      assert.is_truthy(message:find("check the option proxy", 1, true), message)
      assert.is_nil(message:find("check that the server runs", 1, true), message)
    end
  end)

  it("reports a proxy that can't reach the API, and retries", function()
    local user, _, err = new(open_proxy [[conn:respond(502, "") do return end]]):me { timeout = 20 }
    assert.is_nil(user)
    assert.same({ "network", "not_sent", 3 }, { err.kind, err.outcome, err.attempts })
    assert.equal(3, #proxy_server:requests())
  end)

  it("never uses it for this machine", function()
    open_proxy()
    client = new("127.0.0.1:" .. proxy_server.port, { base_url = "https://localhost:" .. api.port })
    assert(client:me())
    assert.equal(0, proxy_server:connections())
  end)

  it("refuses plain http through it, which would show it the keys", function()
    local options = wire.options("http://api.test", { allow_http = true, proxy = "proxy:1" })
    local refused, message, err = devkit4ai.new(options)
    assert.is_nil(refused)
    assert.equal("config", err.kind)
    assert.is_truthy(message:find("proxy", 1, true))
    assert.is_truthy(devkit4ai.new(wire.options("http://127.0.0.1:1", { proxy = "proxy:1" }))) -- that does not go there
  end)

  it("refuses an address that can't be read, and shows no password", function()
    for _, address in ipairs { "ftp://user:MARKER@proxy", "user:MARKER%0d%0aX-Evil: 1@proxy" } do
      local refused, message, err = devkit4ai.new(wire.options("https://a", { proxy = address }))
      assert.is_nil(refused)
      assert.equal("config", err.kind)
      assert.is_nil(message:find("MARKER", 1, true))
    end
  end)

  -- the environment's proxy, in a process that has one
  local function run(environment, base_url)
    local ended = child.run([[
      local user, message, err = assert(require("devkit4ai").new {
        base_url = arg[1], ca_file = arg[2], access_token = "t", retry = { attempts = 1 } }):me()
      print(user and "answered" or err.kind, message)
    ]], { args = { base_url, api.ca_file }, env = environment, preload = "slow_getaddrinfo" })
    assert.equal(0, ended.code, ended.err)
    return ended.out
  end

  it("takes it from the environment, except for the names in no_proxy", function()
    local address, base_url = open_proxy(), "https://api.test:" .. api.port
    assert.matches("^answered", run({ https_proxy = "http://user:word@" .. address }, base_url))
    assert.equal("Basic dXNlcjp3b3Jk", wire.header(proxy_server:requests()[1], "Proxy-Authorization"))
    assert.matches("^answered", run({ ALL_PROXY = address, https_proxy = "" }, base_url))
    assert.equal(2, proxy_server:connections())
    local direct = { SLOW_RESOLVE_NAME = "api.test", SLOW_RESOLVE_ADDRESS = "127.0.0.1", https_proxy = address,
      no_proxy = "other,.test" }
    assert.matches("^answered", run(direct, base_url))
    assert.equal(2, proxy_server:connections())
  end)
end)
