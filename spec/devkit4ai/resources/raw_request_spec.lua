-- client:request: any request to the API, compared with curl's request.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ECHO = [[return function(conn)
  local request = conn:read_request()
  while request do
    conn:respond(200, { method = request.method, target = request.target })
    request = conn:read_request()
  end
end]]

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

-- Two forms of the same: curl writes a space as +, and in a query %c3 for %C3.
local function plain(text)
  return (text:gsub("%+", "%%20"):gsub("%%%x%x", string.upper))
end

describe("client:request", function()
  local server, client

  local function start(script, more)
    server = raw.start { script = script or ECHO }
    client = assert(devkit4ai.new(wire.options(server.url, more)))
    return client
  end

  after_each(function()
    client:close()
    if server then server:stop() end
    server = nil
  end)

  local function last()
    local requests = server:requests()
    return requests[#requests]
  end

  -- Sends the same by curl, and compares: request line, header lines, body.
  local function as_curl(path, arguments)
    local ours = last()
    local parts = { "curl --silent --output /dev/null --globoff" }
    for _, argument in ipairs(arguments) do parts[#parts + 1] = quote(argument) end
    for _, line in ipairs { "Authorization: Bearer " .. wire.sample.access_token, "X-User-Role: developer",
      "X-Developer-Key: " .. wire.sample.developer_key } do
      parts[#parts + 1] = "--header " .. quote(line)
    end
    parts[#parts + 1] = quote(server.url .. path)
    local before = #server:requests()
    os.execute(table.concat(parts, " "))
    assert.equal(before + 1, #server:requests(), "curl sent nothing")
    local theirs = last()
    assert.equal(plain(wire.head(theirs)), plain(wire.head(ours)))
    if wire.header(theirs, "Content-Type") and wire.header(theirs, "Content-Type"):find("^multipart") then
      assert.equal(wire.body(theirs), wire.body(ours))
    else
      assert.equal(plain(theirs.body), plain(ours.body))
      assert.equal(tostring(#ours.body), wire.header(ours, "Content-Length") or "0")
    end
    assert.equal(wire.header(theirs, "Content-Length") == nil, wire.header(ours, "Content-Length") == nil)
  end

  for _, method in ipairs { "GET", "DELETE" } do
    it("sends a " .. method .. " as curl does", function()
      local response = assert(start():request { method = method, path = "/api/v1/thing" })
      assert.same({ 200, method }, { response.status, response.json.method })
      as_curl("/api/v1/thing", { "--request", method })
    end)
  end

  for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE" } do
    it("sends a " .. method .. " with JSON as curl does", function()
      assert(start():request { method = method, path = "/api/v1/thing", json = { name = "Neon \"ö\"" } })
      as_curl("/api/v1/thing", { "--request", method, "--header", "Content-Type: application/json",
        "--data-binary", [[{"name":"Neon \"ö\""}]] })
    end)
  end

  it("sends a POST without a body as curl does", function()
    assert(start():request { method = "POST", path = "/api/v1/thing" })
    as_curl("/api/v1/thing", { "--request", "POST" })
  end)

  it("takes a method in any case", function()
    assert(start():request { method = "get", path = "/api/v1/thing" })
    assert.equal("GET", last().method)
  end)

  it("encodes a query as curl does, in the order of its names", function()
    assert(start():request { method = "GET", path = "/api/v1/thing",
      query = { per_page = 20, test_mode = true, name = "a b&c=d/e?f#g+h%i~j_k.l-mö", empty = "" } })
    local query = "empty=&name=a%20b%26c%3Dd%2Fe%3Ff%23g%2Bh%25i~j_k.l-m%C3%B6&per_page=20&test_mode=true"
    assert.equal("/api/v1/thing?" .. query, last().target)
    as_curl("/api/v1/thing", { "--get", "--data-urlencode", "empty=", "--data-urlencode",
      "name=a b&c=d/e?f#g+h%i~j_k.l-mö", "--data", "per_page=20", "--data", "test_mode=true" })
  end)

  it("writes whole numbers of a query without a point", function()
    assert(start():request { method = "GET", path = "/x", query = { a = 3.0, b = 2 ^ 40, c = 0.5, d = -1 } })
    assert.equal("/x?a=3&b=1099511627776&c=0.5&d=-1", last().target)
  end)

  it("sends a form as curl does", function()
    assert(start():request { method = "POST", path = "/api/v1/thing", form = { is_public = true, name = "a b&ö" } })
    as_curl("/api/v1/thing", { "--data", "is_public=true", "--data-urlencode", "name=a b&ö" })
  end)

  it("sends a form with a list of files as curl does", function()
    assert(start():request { method = "POST", path = "/api/v1/thing", form = {
      instructions = "neon", files = { "examples/images/neon.png", "examples/images/mountains.png" } } })
    as_curl("/api/v1/thing", { "--form", "files=@examples/images/neon.png;type=image/png",
      "--form", "files=@examples/images/mountains.png;type=image/png", "--form", "instructions=neon" })
  end)

  it("reports the progress of a form with files", function()
    local calls = 0
    start([[return function(conn) conn:read_head() conn:sleep(0.25) conn:read_body() conn:respond(200, "{}") end]])
    assert(client:request { method = "POST", path = "/x", on_upload = function() calls = calls + 1 end,
      form = { files = { { data = wire.image.png .. ("x"):rep(8000000), filename = "a.png" } } } })
    assert.is_true(calls > 0)
  end)

  for role, names in pairs {
    developer = { "X-Developer-Key" }, end_user = { "X-API-Key", "X-Developer-Key", "X-Project-ID" },
    platform_operator = { "X-Operator-Key" },
  } do
    it("sends the headers of the role " .. role, function()
      assert(start():request { method = "GET", path = "/x", role = role })
      local found = {}
      for name in last().head:gmatch("\n(X%-[%w-]+):") do found[#found + 1] = name end
      table.sort(found)
      table.insert(names, "X-User-Role")
      assert.same(names, found)
      assert.equal(role, wire.header(last(), "X-User-Role"))
    end)
  end

  it("sends what the matching operation needs, like its own method", function()
    start()
    assert(client:request { method = "POST", path = "/api/v1/auth/login", json = { email = "a", password = "b" } })
    assert.is_nil(wire.header(last(), "Authorization"))
    assert(client:request { method = "GET", path = "/api/v1/projects/" .. wire.sample.project_id .. "/api-keys" })
    assert.equal("developer", wire.header(last(), "X-User-Role"))
  end)

  it("adds the caller's headers, and none in place of the library's", function()
    assert(start():request { method = "GET", path = "/x", headers = { ["X-Team"] = "neon" } })
    assert.equal("neon", wire.header(last(), "X-Team"))
    local response, _, err = client:request { method = "GET", path = "/x", headers = { authorization = "mine" } }
    assert.is_nil(response)
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.equal(1, #server:requests())
  end)

  it("returns the whole response: status, headers by lower-case name, body and JSON", function()
    start [[return function(conn) conn:read_request()
      conn:write("HTTP/1.1 203 Fine\r\nX-Thing: one\r\nx-thing: two\r\nEMPTY:\r\nContent-Length: 21\r\n\r\n"
        .. '{"a":null,"b":[1,{}]}') end]]
    local response = assert(client:request { method = "GET", path = "/x" })
    assert.equal(203, response.status)
    assert.same({ "one, two", "", "21" },
      { response.headers["x-thing"], response.headers.empty, response.headers["content-length"] })
    assert.equal('{"a":null,"b":[1,{}]}', response.body)
    assert.is_nil(response.json.a)
    assert.same({ 1, {} }, response.json.b)
  end)

  for _, status in ipairs { 400, 403, 404, 409, 418, 422, 500, 503, 302 } do
    it("returns a whole response with " .. status, function()
      start(([[return function(conn)
        while conn:read_request() do conn:respond(%d, { detail = "no" }) end
      end]]):format(status), { retry = { attempts = 1 } })
      local response = assert(client:request { method = "GET", path = "/x" })
      assert.same({ status, "no" }, { response.status, response.json.detail })
    end)
  end

  it("returns a response that is not JSON, or empty, as it is", function()
    start [[return function(conn)
      if conn:read_request().method == "DELETE" then return conn:write("HTTP/1.1 204 No Content\r\n\r\n") end
      conn:respond(200, "<html>", { ["Content-Type"] = "text/html" })
    end]]
    local response = assert(client:request { method = "GET", path = "/x" })
    assert.same({ "<html>", "text/html" }, { response.body, response.headers["content-type"] })
    assert.is_nil(response.json)
    response = assert(client:request { method = "DELETE", path = "/x" })
    assert.same({ 204, "" }, { response.status, response.body })
  end)

  for method, requests in pairs { GET = 3, PUT = 3, DELETE = 3, PATCH = 1, POST = 1 } do
    it(("after a 500, sends a %s %d times and returns the response"):format(method, requests), function()
      start [[return function(conn)
        while conn:read_request() do conn:respond(500, "{}") end
      end]]
      client._retry.attempts = 3
      assert.equal(500, assert(client:request { method = method, path = "/x" }).status)
      assert.equal(requests, #server:requests())
    end)
  end

  it("has the retry class of the matching operation", function()
    start [[return function(conn)
      while conn:read_request() do conn:respond(503, "{}", { ["Retry-After"] = "0.01" }) end
    end]]
    for path, requests in pairs { ["/api/v1/auth/login"] = 1, ["/api/v1/auth/refresh"] = 2 } do
      local before = #server:requests()
      assert(client:request { method = "POST", path = path, json = { email = "a" } })
      assert.equal(before + requests, #server:requests(), path)
    end
  end)

  it("returns nil, a message and an error without a response, with the name of the matching operation", function()
    client = assert(devkit4ai.new(wire.options("http://127.0.0.1:" .. raw.port_closed(), { retry = { attempts = 1 } })))
    for path, operation in pairs { ["/api/v1/auth/me"] = "get_me", ["/other"] = "request", ["/api/v1/projects/"] =
      "list_projects", ["/api/v1/projects/stats"] = "get_global_stats", ["/api/v1/projects/x"] = "get_project" } do
      local response, message, err = client:request { method = "GET", path = path }
      assert.is_nil(response)
      assert.equal(1, (message:find("client:request: ", 1, true)))
      assert.same({ "network", "not_sent", operation }, { err.kind, err.outcome, err.operation })
    end
  end)

  it("after a 401, refreshes once and sends again", function()
    start [[local n = 0
      return function(conn)
        local request = conn:read_request()
        while request do
          if request.target:find("refresh", 1, true) then conn:respond(200, { access_token = "a.new.token" })
          elseif request.head:find("a.new.token", 1, true) then conn:respond(200, { ok = true })
          else conn:respond(401, { detail = "expired" }) end
          request = conn:read_request()
        end
      end]]
    assert.is_true(assert(client:request { method = "POST", path = "/x", json = { a = 1 } }).json.ok)
    assert.equal(3, #server:requests())
    assert.equal('{"a":1}', last().body)
  end)

  it("returns the 401 if the refresh does not help", function()
    start [[return function(conn)
      local request = conn:read_request()
      while request do
        if request.target:find("refresh", 1, true) then conn:respond(200, { access_token = "a.new.token" })
        else conn:respond(401, { detail = "no" }) end
        request = conn:read_request()
      end
    end]]
    assert.equal(401, assert(client:request { method = "GET", path = "/x" }).status)
    assert.equal(3, #server:requests())
  end)

  it("refuses a request that can't be sent", function()
    start()
    local _, file = pcall(io.open, "spec/devkit4ai/resources/raw_request_spec.lua")
    for _, given in ipairs {
      { method = "HEAD", path = "/x" }, { method = "CONNECT", path = "/x" },
      { method = "GET / HTTP/1.1\r\nX: ", path = "/x" },
      { method = "GET", path = "x" }, { method = "GET", path = "" }, { method = "GET", path = "/a b" },
      { method = "GET", path = "/x?y=1" }, { method = "GET", path = "/x#y" },
      { method = "GET", path = "/x\r\nX-Evil: 1" },
      { method = "GET", path = "/x", role = "king" }, { method = "POST", path = "/x", json = { file } },
      { method = "POST", path = "/x", json = {}, form = {} },
      { method = "POST", path = "/x", form = { a = { wire.image.png }, b = {} } },
    } do
      local response, message, err = client:request(given)
      assert.is_nil(response)
      assert.same({ "invalid", "not_sent", 0 }, { err.kind, err.outcome, err.attempts }, message)
      assert.equal(1, (message:find("client:request: ", 1, true)))
    end
    assert.equal(0, #server:requests())
  end)

  it("never goes to another host, whatever the path", function()
    start()
    for _, path in ipairs { "//example.com/x", "/@example.com", "/..//example.com", "/:80/" } do
      assert(client:request { method = "GET", path = path })
    end
    assert.equal(4, #server:requests())
  end)

  it("raises at the caller's line for a mistake in the program", function()
    start()
    for _, given in ipairs { {}, { method = "GET" }, { path = "/x" }, { method = 1, path = "/x" },
      { method = "GET", path = "/x", body = "x" }, { method = "POST", path = "/x", json = "text" } } do
      local ok, why = pcall(client.request, client, given)
      assert.is_false(ok)
      assert.is_truthy(why:find("client:request", 1, true), why)
    end
    client:close()
    local ok, why = pcall(function() return client:request { method = "GET", path = "/x" } end)
    assert.is_false(ok)
    assert.is_truthy(why:find("raw_request_spec.lua:%d+: devkit4ai: client:request: the client is closed"), why)
  end)
end)
