-- The events of a client: their types, order and fields, and no secret in them.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"

-- A server that gives each request the next of its answers, and repeats the last one.
local function serve(...)
  local steps = {}
  for i, step in ipairs { ... } do steps[i] = ("function(conn, request) %s end"):format(step) end
  return raw.start { script = ([[
    local steps, n = { %s }, 0
    return function(conn)
      local request = conn:read_request()
      while request do
        n = n + 1
        steps[math.min(n, #steps)](conn, request)
        request = conn:read_request()
      end
    end]]):format(table.concat(steps, ", ")) }
end

local USER = ([[conn:respond(200, { id = %q, email = "dev@example.com" }, { ["X-Request-ID"] = "r-1" })]]):format(ID)
local OOPS = [[conn:respond(500, { detail = "Oops" }, { ["X-Request-ID"] = "r-2" })]]
local LIMIT = [[conn:respond(429, { detail = "later" }, { ["Retry-After"] = "0.01" })]]
local DENIED = [[conn:respond(401, { detail = "expired" })]]
local TOKENS = [[conn:respond(200, { access_token = "MARKER-NEW-ACCESS", refresh_token = "MARKER-NEW-REFRESH" })]]

-- Every secret contains a marker.
local function options_of(url)
  return { base_url = url, developer_key = "MARKER-DEVELOPER", project_id = ID, project_key = "MARKER-PROJECT",
    operator_key = "MARKER-OPERATOR", access_token = "MARKER-ACCESS", refresh_token = "MARKER-REFRESH",
    headers = { ["X-Own"] = "MARKER-HEADER" } }
end

local function text_of(value, depth)
  if type(value) ~= "table" or (depth or 0) > 4 then return tostring(value) end
  local parts = {}
  for name, item in pairs(value) do parts[#parts + 1] = tostring(name) .. "=" .. text_of(item, (depth or 0) + 1) end
  return table.concat(parts, " ")
end

describe("on_event", function()
  local server, client, events

  local function new(...)
    server, events = serve(...), {}
    local options = options_of(server.url)
    options.on_event = function(event) events[#events + 1] = event end
    client = assert(devkit4ai.new(options))
    return client
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local function types()
    local list = {}
    for i, event in ipairs(events) do list[i] = event.type end
    return table.concat(list, " ")
  end

  it("gets a request and its answer, with the template of the path and the times of each step", function()
    assert(new(USER):me())
    assert.equal("request answer", types())
    assert.same({ type = "request", operation = "get_me", method = "GET", path = "/api/v1/auth/me", attempt = 1 },
      events[1])
    local answer = events[2]
    assert.same({ "get_me", "GET", "/api/v1/auth/me", 200, 1 },
      { answer.operation, answer.method, answer.path, answer.status, answer.attempt })
    for _, step in ipairs { "lookup", "connect", "first_byte", "total" } do
      assert.is_true(answer.times[step] >= 0, step)
    end
    assert.is_true(answer.times.first_byte <= answer.times.total)
    assert.is_nil(answer.kind)
    client:project(ID):keys()
    assert.equal("/api/v1/projects/{project_id}/api-keys", events[3].path)
  end)

  it("gets each attempt and each pause", function()
    assert(new(OOPS, OOPS, USER):me())
    assert.equal("request answer retry request answer retry request answer", types())
    assert.same({ 500, "server", "unknown", 1, "r-2" },
      { events[2].status, events[2].kind, events[2].outcome, events[2].attempt, events[2].request_id })
    assert.same({ "get_me", "server", "unknown", 2, 0 },
      { events[3].operation, events[3].kind, events[3].outcome, events[3].attempt, events[3].pause })
    assert.same({ 2, 3 }, { events[4].attempt, events[7].attempt })
  end)

  it("gets a rate limit", function()
    assert(new(LIMIT, USER):me())
    assert.equal("request answer rate_limit retry request answer", types())
    assert.same({ 429, 0.01 }, { events[3].status, events[3].retry_after })
    assert.equal(0.01, events[4].pause)
  end)

  it("gets a refresh", function()
    assert(new(DENIED, TOKENS, USER):me())
    assert.equal("request answer refresh answer request answer", types())
    assert.same({ "refresh_token", "POST", "/api/v1/auth/refresh" },
      { events[3].operation, events[3].method, events[3].path })
  end)

  it("gets a failure without a response, with its times", function()
    new(USER)
    server:stop()
    server = serve("conn:reset() conn.read_request = function() end")
    client:close()
    events = {}
    local options = options_of(server.url)
    options.on_event, options.retry = function(event) events[#events + 1] = event end, { attempts = 1 }
    client = assert(devkit4ai.new(options))
    assert.is_nil((client:me()))
    assert.equal("request answer", types())
    assert.same({ "network", "unknown" }, { events[2].kind, events[2].outcome })
    assert.is_nil(events[2].status)
    assert.is_table(events[2].times)
  end)

  it("gets the waits between two status requests, with the generation", function()
    local pause = poll_schedule.pause
    poll_schedule.pause = function() return 0.001 end
    finally(function() poll_schedule.pause = pause end)
    new(([[conn:respond(200, { id = %q, status = "pending" })]]):format(ID),
      ([[conn:respond(200, { id = %q, status = "completed" })]]):format(ID))
    assert(client:project(ID):generation(ID):wait())
    assert.equal("request answer wait request answer", types())
    for _, event in ipairs(events) do assert.equal(ID, event.generation_id) end
    assert.equal(0.001, events[3].pause)
  end)

  it("gets the id of a new generation with the answer", function()
    new(([[conn:respond(200, { id = %q, status = "pending" })]]):format(ID))
    assert(client:generate { images = { { data = wire.image.png, filename = "a.png" } }, prompt = "neon" })
    assert.equal(ID, events[2].generation_id)
  end)

  it("gets no secret, whatever the server returns", function()
    local echo = [[conn:respond(500, request.head .. request.body, { ["X-Request-ID"] =
      (request.head:match "MARKER[%w-]+" or "none"), ["Retry-After"] = "0.01" })]]
    new(echo, DENIED, TOKENS, echo, echo, TOKENS)
    client:me()
    client:login("dev@example.com", "MARKER-PASSWORD")
    client:register { email = "dev@example.com", password = "MARKER-PASSWORD" }
    client:refresh_token()
    client:request { method = "POST", path = "/MARKER-NEW-ACCESS", json = { a = "MARKER-NEW-ACCESS" } }
    client:me { headers = { ["X-Call"] = "MARKER-OF-CALL" } }
    assert.is_true(#events > 12)
    for _, event in ipairs(events) do
      assert.is_nil(text_of(event):find("MARKER", 1, true), text_of(event))
    end
  end)

  it("does no harm if it raises, and its error is on standard error", function()
    new(USER)
    local ended = child.run([[
      local client = require("devkit4ai").new { base_url = arg[1], access_token = "MARKER-ACCESS",
        on_event = function(event) error("no use for " .. event.type .. " MARKER-ACCESS") end }
      print(assert(client:me()).email)
    ]], { args = { server.url } })
    assert.same({ 0, "dev@example.com\n" }, { ended.code, ended.out }, ended.err)
    assert.matches("on_event failed: .*no use for request %*%*%*.*traceback.*no use for answer", ended.err)
  end)

  it("does no harm if it waits, and gets no events of its own calls", function()
    new(USER)
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local client
      for _, wait in ipairs { function() coroutine.yield() end, function() assert(client:me()) end } do
        client = devkit4ai.new { base_url = arg[1], access_token = "t", on_event = wait }
        print(assert(client:me()).email)
        print(assert(devkit4ai.spawn(function() return client:me() end):join()).email)
      end
    ]], { args = { server.url } })
    assert.same({ 0, ("dev@example.com\n"):rep(4) }, { ended.code, ended.out }, ended.err)
    assert.equal(4 + 4, #server:requests()) -- at each of two events of two of them it calls
  end)

  it("may close the client", function()
    new(USER)
    local options = options_of(server.url)
    local other
    options.on_event = function() other:close() end
    other = assert(devkit4ai.new(options))
    local user, _, err = other:me()
    assert.is_nil(user)
    assert.is_string(err.kind)
  end)
end)

describe("a client without a listener", function()
  it("has no trace", function()
    local client = assert(devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "t" })
    assert.is_falsy(client._trace)
    client:close()
  end)
end)

describe("DEVKIT4AI_LOG", function()
  local SCRIPT = [[
    local client, message = require("devkit4ai").new { base_url = arg[1], developer_key = "MARKER-DEVELOPER",
      project_key = "MARKER-PROJECT", access_token = "MARKER-ACCESS", refresh_token = "MARKER-REFRESH" }
    if not client then
      io.stderr:write(message)
      os.exit(3)
    end
    client:me()
    client:login("dev@example.com", "MARKER-PASSWORD")
    client:me { headers = { ["X-Call"] = "MARKER-OF-CALL" } }
  ]]

  local function run(level, ...)
    local server = serve(...)
    local ended = child.run(SCRIPT, { args = { server.url }, env = { DEVKIT4AI_LOG = level } })
    server:stop()
    assert.equal("", ended.out)
    assert.is_nil(ended.err:find("MARKER", 1, true), ended.err)
    return ended
  end

  it("info writes a line for each answer and each unusual event to standard error", function()
    local ended = run("info", OOPS, USER, TOKENS, LIMIT, USER)
    assert.equal(0, ended.code, ended.err)
    local lines = {}
    for line in ended.err:gmatch("[^\n]+") do
      assert.matches("^devkit4ai: ", line)
      lines[#lines + 1] = line:match("^devkit4ai: (%S+)")
    end
    assert.equal("answer retry answer answer answer rate_limit retry answer", table.concat(lines, " "))
    assert.matches("answer operation=get_me method=GET path=/api/v1/auth/me status=500 kind=server outcome=unknown "
      .. "attempt=1 request_id=r%-2 seconds=%d", ended.err)
  end)

  it("debug writes requests, heads and the beginning of bodies as well, without secrets", function()
    local echo = [[conn:respond(400, request.head .. request.body)]]
    local ended = run("debug", echo, TOKENS, echo)
    assert.equal(0, ended.code, ended.err)
    assert.matches("devkit4ai: request operation=get_me", ended.err)
    assert.matches("HTTP/1.1 400", ended.err)
    assert.matches("%*%*%*", ended.err)
  end)

  for _, level in ipairs { "trace", "INFO", "1" } do
    it("refuses the level " .. level, function()
      local ended = run(level, USER)
      assert.equal(3, ended.code)
      assert.matches("DEVKIT4AI_LOG must be info or debug", ended.err)
    end)
  end

  it("is off if it is empty", function()
    assert.equal("", run("", USER, TOKENS, USER).err)
  end)
end)
