-- Nothing is paid twice (architecture.md, invariant 1): one POST arrives for each upload, and the error has its outcome. Eight connections
-- are warmed first, because libcurl repeats a request by itself only on a used connection: without them these specs could
-- not fail.
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local WARM = 8

-- Answers a GET only when eight of them have come, so that as many connections are open. A POST meets the fault.
local SCRIPT = [[
local all_there = require("cqueues.condition").new()
local me = { id = "550e8400-e29b-41d4-a716-446655440000" }
local gets = 0
return function(conn)
  local head = conn:read_head()
  while head and head:find("^GET") do
    conn:read_body()
    gets = gets + 1
    if gets == WARM then all_there:signal() end
    while gets < WARM do all_there:wait() end
    conn:respond(200, me)
    head = conn:read_head()
  end
  if not head then return end
  READ
  FAULT
end
]]

-- What the server does when it has read a POST, or `reads` bytes of its body, in Lua | what the error says of it.
local FAULTS = {
  { "closes without a byte", "conn:close()", "network", "unknown" },
  { "resets without a byte", "conn:reset()", "network", "unknown" },
  { "resets in the middle of the upload", "conn:reset()", "network", "unknown", reads = 100000 },
  { "closes in the middle of the head", [[conn:write("HTTP/1.1 200 OK\r\nContent-") conn:close()]],
    "network", "unknown" },
  { "closes in the middle of the answer",
    [[conn:write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"') conn:close()]], "network", "unknown" },
  { "resets in the middle of the answer",
    [[conn:write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"') conn:reset()]], "network", "unknown" },
  { "closes in the middle of a chunked answer",
    [[conn:write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"') conn:close()]],
    "network", "unknown" },
  { "closes in the middle of a refusal's first line", [[conn:write("HTTP/1.1 403 Forb") conn:close()]],
    "network", "unknown" },
  { "closes in the middle of a refusal's head", [[conn:write("HTTP/1.1 403 Forbidden\r\nContent-") conn:close()]],
    "network", "unknown" },
  { "closes in the middle of a refusal",
    [[conn:write("HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\n{}") conn:close()]], "network", "unknown" },
  { "closes in the middle of a chunked refusal",
    [[conn:write("HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n") conn:close()]],
    "network", "unknown" },
  { "answers what is no HTTP", [[conn:write("SSH-2.0-OpenSSH_9.2\r\n") conn:close()]], "protocol", "unknown" },
  { "answers 200 with broken JSON", [[conn:respond(200, '{"id": ')]], "protocol", "unknown", 200 },
  { "answers 200 without an id", [[conn:respond(200, { status = "pending" })]], "protocol", "unknown", 200 },
  { "answers 200 with a number for an id", [[conn:respond(200, { id = 7 })]], "protocol", "unknown", 200 },
  { "answers 200 with null", [[conn:respond(200, "null")]], "protocol", "unknown", 200 },
  { "answers 200 with a list", [[conn:respond(200, "[]")]], "protocol", "unknown", 200 },
  { "answers 200 with nothing", [[conn:respond(200, "")]], "protocol", "unknown", 200 },
  { "answers 204", [[conn:write("HTTP/1.1 204 No Content\r\n\r\n")]], "protocol", "unknown", 204 },
  { "answers 302", [[conn:respond(302, "", { Location = "/elsewhere" })]], "protocol", "unknown", 302 },
  { "answers 307", [[conn:respond(307, "", { Location = "/elsewhere" })]], "protocol", "unknown", 307 },
  { "answers 400", [[conn:respond(400, { detail = "Bad Request" })]], "invalid", "refused", 400 },
  { "answers 401", [[conn:respond(401, { detail = "Could not validate credentials" })]], "auth", "refused", 401 },
  { "answers 403", [[conn:respond(403, { detail = "Insufficient permissions" })]], "forbidden", "refused", 403 },
  { "answers 404", [[conn:respond(404, { detail = "Not Found" })]], "not_found", "refused", 404 },
  { "answers 405", [[conn:respond(405, { detail = "Method Not Allowed" })]], "protocol", "refused", 405 },
  { "answers 408", [[conn:respond(408, { detail = "Request Timeout" })]], "timeout", "unknown", 408 },
  { "answers 409", [[conn:respond(409, { detail = "Conflict" })]], "conflict", "unknown", 409 },
  { "answers 411", [[conn:respond(411, "")]], "protocol", "refused", 411 },
  { "answers 413", [[conn:respond(413, { detail = "too large" })]], "too_large", "refused", 413 },
  { "answers 413 before it has read the upload", [[conn:respond(413, { detail = "too large" }) conn:read_body()]],
    "too_large", "refused", 413, reads = 1000 },
  { "answers 415", [[conn:respond(415, "")]], "invalid", "refused", 415 },
  { "answers 418", [[conn:respond(418, "{}")]], "protocol", "unknown", 418 },
  { "answers 422", [[conn:respond(422, { detail = "Maximum 5 example images allowed" })]], "invalid", "refused", 422 },
  { "answers 429", [[conn:respond(429, { detail = "later", retry_after = 3600 })]], "rate_limited", "refused", 429 },
  { "answers 500", [[conn:respond(500, { detail = "Internal Server Error" })]], "server", "unknown", 500 },
  { "answers 502 in HTML", [[conn:respond(502, "<html>", { ["Content-Type"] = "text/html" })]],
    "server", "unknown", 502 },
  { "answers 503 with a time", [[conn:respond(503, "{}", { ["Retry-After"] = 1 })]], "server", "unknown", 503 },
  { "answers 504", [[conn:respond(504, "")]], "server", "unknown", 504 },
}

-- The two modes of the engine: the caller that waits steps it, or from the first update() on a thread steps it.
local GEARS = {
  { "where the caller steps", function() end },
  { "where a thread steps", function(devkit4ai) devkit4ai.update() end },
}

local function server_with(fault, reads)
  local read = reads and ("conn:read(%d)"):format(reads) or "conn:read_body()"
  return raw.start { script = (SCRIPT:gsub("%u%u+", { WARM = WARM, READ = read, FAULT = fault })) }
end

for _, gear in ipairs(GEARS) do
  insulate("paid once, " .. gear[1] .. ":", function()
    local devkit4ai = require "devkit4ai"
    local image = { data = wire.image.jpeg .. ("x"):rep(1024 * 1024), filename = "a.jpg" }

    local function client_of(url)
      local options = wire.options(url)
      options.refresh_token = nil -- after a 401 a refresh and one repeat would be right
      return devkit4ai.new(options)
    end

    local function warm(client)
      local tasks = {}
      for i = 1, WARM do
        tasks[i] = devkit4ai.spawn(function() return assert(client:me()) end)
      end
      for i = 1, WARM do assert(tasks[i]:join()) end
    end

    local function upload(client)
      return client:project(wire.sample.project_id):generate { images = { image }, prompt = "neon" }
    end

    local function count(server, method)
      local n = 0
      for _, request in ipairs(server:requests()) do
        if request.method == method then n = n + 1 end
      end
      return n
    end

    setup(function() gear[2](devkit4ai) end)

    for _, row in ipairs(FAULTS) do
      local name, fault, kind, outcome, status = row[1], row[2], row[3], row[4], row[5]
      it("a server that " .. name .. " gets one POST, and the outcome is " .. outcome, function()
        local server = server_with(fault, row.reads)
        finally(function() server:stop() end)
        local client = client_of(server.url)
        warm(client)
        assert.equal(WARM, server:connections())
        local gen, message, err = upload(client)
        assert.is_nil(gen)
        assert.is_string(message)
        assert.equal(1, count(server, "POST"))
        assert.equal(WARM, count(server, "GET"))
        assert.same({ kind, outcome, status }, { err.kind, err.outcome, status and err.status })
        assert.equal(kind == "rate_limited", err.retryable)
        client:close()
      end)
    end

    it("a server that accepts it gets one POST, on a new connection", function()
      local server = server_with [[conn:respond(200, { id = "990e8400-e29b-41d4-a716-446655440004" })]]
      finally(function() server:stop() end)
      local client = client_of(server.url)
      warm(client)
      local gen = assert(upload(client))
      assert.equal("990e8400-e29b-41d4-a716-446655440004", gen.id)
      local requests = server:requests()
      assert.equal(1, count(server, "POST"))
      assert.equal(WARM + 1, requests[#requests].connection)
      client:close()
    end)

    it("a server that refuses the token gets a second POST, after one refresh, and no third", function()
      local server = server_with [[
        if head:find("/auth/refresh", 1, true) then
          conn:respond(200, { access_token = "a.new.token", token_type = "bearer" })
        else
          conn:respond(401, { detail = "Could not validate credentials" })
        end]]
      finally(function() server:stop() end)
      local client = devkit4ai.new(wire.options(server.url))
      warm(client)
      local gen, _, err = upload(client)
      assert.is_nil(gen)
      assert.same({ "auth", "refused", 401 }, { err.kind, err.outcome, err.status })
      local posts = {}
      for _, request in ipairs(server:requests()) do
        if request.method == "POST" then
          posts[#posts + 1] = request.target .. " " .. (wire.header(request, "Authorization") or "no token")
        end
      end
      assert.same({
        "/api/v1/generation/generate-v2 Bearer " .. wire.sample.access_token,
        "/api/v1/auth/refresh no token",
        "/api/v1/generation/generate-v2 Bearer a.new.token",
      }, posts)
      client:close()
    end)

    it("a closed port gets nothing", function()
      local client = client_of("http://127.0.0.1:" .. raw.port_closed())
      local gen, message, err = upload(client)
      assert.is_nil(gen)
      assert.is_string(message)
      assert.same({ "network", "not_sent" }, { err.kind, err.outcome })
      client:close()
    end)

    it("a server with an untrusted certificate gets nothing", function()
      local server = raw.start { tls = true, script = "return function(conn) conn:read_request() end" }
      finally(function() server:stop() end)
      local client = client_of(server.url)
      local gen, _, err = upload(client)
      assert.is_nil(gen)
      assert.same({ "tls", "not_sent" }, { err.kind, err.outcome })
      assert.equal(0, #server:requests())
      client:close()
    end)
  end)
end
