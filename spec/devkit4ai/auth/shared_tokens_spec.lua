-- The retry budget, which the calls of a client share, and the request pacing, which the waits of an account share.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local jwt = require("spec.support.servers.jwt").of
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local limits = require "devkit4ai.api.limits"
local retry = require "devkit4ai.request.retry"

local ID = "550e8400-e29b-41d4-a716-446655440000"

local server, clients

local function serve(answer)
  server = raw.start { script = ([[
    local polls, refused_at = 0, nil
    return function(conn)
      local request = conn:read_request()
      while request do
        ANSWER
        request = conn:read_request()
      end
    end]]):gsub("ANSWER", function() return answer end) }
end

local function new(on_event)
  local client = assert(devkit4ai.new { base_url = server.url, access_token = "t", developer_key = "d", project_id = ID,
    project_key = "p", on_event = on_event })
  clients[#clients + 1] = client
  return client
end

before_each(function() clients = {} end)

after_each(function()
  for _, client in ipairs(clients) do client:close() end
  server:stop()
end)

describe("a client's calls", function()
  local COST = 2 * retry.cost {} -- of a call that fails three times
  local FULL = limits.RETRY_BUDGET / COST -- such calls that a new client may make

  it("share a retry budget: it does not limit first attempts, and a success refills it", function()
    serve [[
      if request.target:find "me$" then conn:respond(503, {}) else conn:respond(200, {}) end]]
    local client = new()
    local function requests_of(calls)
      local before = #server:requests()
      for _ = 1, calls do assert.is_nil(client:me()) end
      return #server:requests() - before
    end
    assert.equal(3 * FULL, requests_of(FULL))
    assert.equal(7, requests_of(7))
    for _ = 1, COST do assert(client:request { method = "GET", path = "/other" }) end
    assert.equal(3 + 1, requests_of(2))
  end)

  it("do not use another client's budget", function()
    serve [[conn:respond(503, {})]]
    local one, other = new(), new()
    for _ = 1, FULL + 1 do one:me() end
    local before = #server:requests()
    other:me()
    assert.equal(3, #server:requests() - before)
  end)
end)

describe("the waits of an account", function()
  it("are all delayed by a 429 to one of them, also those of another client", function()
    serve [[
      polls = polls + 1
      local now = require("cqueues").monotime()
      if polls == 1 then
        refused_at = now
        conn:respond(429, { detail = "later" }, { ["Retry-After"] = "0.3" })
      else
        local when = now - refused_at >= 0.3 and "later" or "at once"
        conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", status = "completed", message = when })
      end]]
    local rests = false
    local client = new(function(event) rests = rests or event.type == "wait" end)
    local first = devkit4ai.spawn(function() return client:generation(ID):wait { interval = 0.01 } end)
    repeat devkit4ai.update() until rests
    local gen = assert(new():generation(ID):wait())
    assert.equal("later", gen.message)
    assert.equal("later", assert(first:join()).message)
  end)
end)

describe("a 429 that names an hour", function()
  local HOUR = 3600
  local slept

  -- The first look is refused for an hour, all others are answered. A login is the account two's. A clock of the spec's own counts what waits sleep.
  before_each(function()
    serve(([[
      if request.target:find "login$" then
        conn:respond(200, { access_token = "%s" })
      else
        polls = polls + 1
        if polls == 1 then conn:respond(429, { detail = "later" }, { ["Retry-After"] = "%d" })
        else conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", status = "completed" }) end
      end]]):format(jwt '{"sub":"two"}', HOUR))
    slept = 0
  end)

  local function with_own_clock(fn)
    local now, sleep = waits.now, waits.sleep
    local began = now()
    waits.now = function() return began + slept end
    waits.sleep = function(seconds, owner)
      slept = slept + seconds
      return sleep(0, owner)
    end
    local ok, why = pcall(fn)
    waits.now, waits.sleep = now, sleep
    assert(ok, why)
  end

  local function client_of(tokens, more)
    local options = { base_url = server.url, developer_key = "key of " .. tokens.access_token, project_id = ID,
      project_key = "p" }
    for _, part in ipairs { tokens, more or {} } do
      for name, value in pairs(part) do options[name] = value end
    end
    clients[#clients + 1] = assert(devkit4ai.new(options))
    return clients[#clients]
  end

  local function token_of(account, n)
    return { access_token = jwt(('{"sub":"%s","n":%d}'):format(account, n or 1)) }
  end

  -- Whether the second wait sleeps for the first one's 429. Each is given as a client, or as a client and how it waits.
  local function holds_back(first, second, options)
    local held
    with_own_clock(function()
      assert.is_nil((first:generation(ID):wait { timeout = 0 }))
      assert.equal(0, slept)
      assert(second:generation(ID, options):wait { timeout = 2 * HOUR })
      assert.is_true(slept < 1 or slept > HOUR - 1, slept)
      held = slept > HOUR - 1
    end)
    assert.equal(2, #server:requests())
    return held
  end

  it("delays another client of the account, with tokens of another login", function()
    assert.is_true(holds_back(client_of(token_of("one", 1)), client_of(token_of("one", 2))))
  end)

  it("delays a later client of the account if the tokens can't be read, by its developer key", function()
    local key = { developer_key = "the same" }
    local first, second = client_of({ access_token = "opaque-1" }, key), client_of({ access_token = "opaque-2" }, key)
    assert.is_true(holds_back(first, second))
  end)

  it("delays the account after the wait that got it has ended", function()
    local client = client_of(token_of "one")
    with_own_clock(function()
      assert.is_nil((client:generation(ID):wait { timeout = 0 }))
      collectgarbage()
      collectgarbage()
      assert(client:generation(ID):wait { timeout = 2 * HOUR })
      assert.is_true(slept > HOUR - 1, slept)
    end)
  end)

  it("does not delay another account", function()
    assert.is_false(holds_back(client_of(token_of "one"), client_of(token_of "two")))
  end)

  it("does not delay the account of a later login of the same client", function()
    local client = client_of(token_of "one")
    with_own_clock(function()
      assert.is_nil((client:generation(ID):wait { timeout = 0 }))
      assert(client:login("two@example.com", "a password"))
      assert(client:generation(ID):wait { timeout = 2 * HOUR })
      assert.is_true(slept < 1, slept)
    end)
  end)

  it("does not delay another account whose tokens can't be read", function()
    assert.is_false(holds_back(client_of { access_token = "opaque-1" }, client_of { access_token = "opaque-2" }))
  end)

  for title, token in pairs { ["can be read"] = token_of, ["can't be read"] = function(account)
    return { access_token = "opaque-" .. account }
  end } do
    it("does not delay another end user of the project, whose tokens " .. title, function()
      local project = client_of(token("dev")):project(ID)
      assert.is_false(holds_back(assert(project:end_user(token("eve"))), assert(project:end_user(token("bob")))))
    end)

    it("does not delay the end user's developer, whose tokens " .. title, function()
      local client = client_of(token("dev"))
      assert.is_false(holds_back(assert(client:project(ID):end_user(token("eve"))), client))
    end)
  end

  it("does not delay status requests without a login, which count against the address", function()
    local client = client_of(token_of "one")
    assert.is_false(holds_back(client, client, { anonymous = true }))
  end)
end)
