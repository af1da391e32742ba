-- A random walk over the session: two programs on one file store, two clients each, calls alone and concurrent, expiries,
-- refusals, cancellations, logins, restarts. A raw server with its own model of the tokens checks it: a refresh token is
-- valid once. DEVKIT4AI_SEED=N repeats a walk, as far as two programs can.
local child = require "spec.support.process.child"
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"

local seed = tonumber(os.getenv("DEVKIT4AI_SEED")) or os.time() % 1000000

local STEPS = 80 -- of each program

local MODEL = [=[
  math.randomseed(SEED)
  local issued, family = 0, 0
  local good = {} -- access token -> how often it was taken
  local valid, used, ended = {}, {}, {} -- refresh token -> its login; that, once it was used; logins that were refused
  local running = {}
  local tally = {
    refreshes = 0, at_once = 0, reused = 0, refused = 0, logins = 0, calls = 0, unauthorized = 0, expired = 0,
  }

  local function chance(of_hundred) return math.random(100) <= of_hundred end

  local function pair_of(its_family)
    issued = issued + 1
    local access, refresh = "access-" .. issued, "refresh-" .. issued
    good[access], valid[refresh] = 0, its_family
    return { access_token = access, refresh_token = refresh }
  end

  local function refresh(conn, sent)
    tally.refreshes = tally.refreshes + 1
    if running[sent] then tally.at_once = tally.at_once + 1 end
    running[sent] = true
    conn:sleep(math.random(0, 8) / 1000)
    local its_family = valid[sent]
    local answer, status = { detail = "no" }, 401
    if its_family and chance(10) then
      answer, status = { detail = "try again later" }, 503
    elseif its_family and chance(6) then
      tally.refused = tally.refused + 1
      valid[sent], used[sent] = nil, its_family
      for older = 1, its_family do ended[older] = true end -- its record replaced theirs, and goes with it
    elseif its_family then
      valid[sent], used[sent] = nil, its_family
      answer, status = pair_of(its_family), 200
    elseif not (used[sent] and ended[used[sent]]) then
      tally.reused = tally.reused + 1 -- a newer one was given out, and got lost
    end
    running[sent] = nil
    conn:respond(status, answer)
  end

  local function call(conn, token)
    tally.calls = tally.calls + 1
    conn:sleep(math.random(0, 3) / 1000)
    if good[token] and good[token] > 1 and chance(25) then
      good[token] = nil
      tally.expired = tally.expired + 1
    end
    if not good[token] then
      tally.unauthorized = tally.unauthorized + 1
      return conn:respond(401, { detail = "no" })
    end
    good[token] = good[token] + 1
    conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" })
  end

  return function(conn)
    local request = conn:read_request()
    while request do
      local name = request.target:match("[^/]+$")
      if name == "login" then
        tally.logins, family = tally.logins + 1, family + 1
        conn:respond(200, pair_of(family))
      elseif name == "refresh" then
        refresh(conn, request.body:match('"refresh_token":"([^"]*)"'))
      elseif name == "tally" then
        conn:respond(200, tally)
      else
        call(conn, request.head:match("Authorization: Bearer ([^\r\n]*)"))
      end
      request = conn:read_request()
    end
  end
]=]

local WALKER = [=[
  local url, path, seed, steps = ...
  local devkit4ai = require "devkit4ai"
  local waits = require "devkit4ai.loop.waits"
  local store = require("devkit4ai.store.file").new(path)
  math.randomseed(tonumber(seed))
  local TIME = 20 -- seconds; a call that takes them has waited for ever

  local function new() return assert(devkit4ai.new { base_url = url, store = store, timeout = { total = TIME } }) end
  local clients = { new(), new() }
  local logins = 0

  local function login(client)
    logins = logins + 1
    assert(client:login("someone@example.com", "x"))
  end

  -- what a call may end with; a session that is over is begun anew
  local FINE = { server = true, auth = true, config = true, cancelled = true }
  local function judge(client, answer, message, err)
    if answer then return end
    if not FINE[err.kind] then error("a call ended with " .. err.kind .. ": " .. message, 0) end
    if err.kind == "auth" or err.kind == "config" then login(client) end
  end

  local function any() return clients[math.random(#clients)] end

  local actions = {
    function() -- one call
      local client = any()
      judge(client, client:me())
    end,
    function() -- several side by side
      local tasks = {}
      for i = 1, math.random(2, 5) do
        local client = any()
        tasks[i] = devkit4ai.spawn(function() return client, client:me() end)
      end
      for _, task in ipairs(tasks) do judge(task:join()) end
    end,
    function() -- one that is cancelled on the way, while another waits for the same
      local client, other = any(), any()
      client._session.refresh_at = math.min(client._session.refresh_at, waits.now())
      local task = devkit4ai.spawn(function() return client, client:me() end)
      local follower = devkit4ai.spawn(function() return other, other:me() end)
      waits.sleep(math.random(0, 8) / 1000)
      task:cancel()
      local results = { task:join() }
      if results[1] == client then judge(client, results[2], results[3], results[4]) end
      judge(follower:join())
      judge(client, client:me()) -- waits for the refresh, which went on: who is closed meanwhile loses its answer
    end,
    function() -- its end is near
      local client = any()
      client._session.refresh_at = math.min(client._session.refresh_at, waits.now())
      judge(client, client:me())
    end,
    function()
      local client = any()
      judge(client, client:refresh_token())
    end,
    function() -- as if the program were started anew
      local at = math.random(#clients)
      clients[at]:close()
      clients[at] = new()
    end,
    function()
      if math.random(4) == 1 then login(any()) end
    end,
  }

  for step = 1, tonumber(steps) do
    waits.sleep(math.random(0, 20) / 1000) -- the other program has its turns
    local before = waits.now()
    local ok, why = pcall(actions[math.random(#actions)])
    if not ok then
      print("step " .. step .. ": " .. tostring(why))
      os.exit(1)
    end
    if waits.now() - before >= TIME then
      print("step " .. step .. ": it waited for ever")
      os.exit(1)
    end
  end
  print("done " .. logins)
]=]

describe("two programs on one file store", function()
  it("never refresh twice at once with one token, never without end, lose no rotated token, and never hang", function()
    local server = raw.start { script = (MODEL:gsub("SEED", seed)) }
    local folder = child.folder()
    finally(function()
      child.remove(folder)
      server:stop()
    end)
    local script = folder .. "/walker.lua"
    local file = assert(io.open(script, "wb"))
    file:write(WALKER)
    file:close()
    local path = folder .. "/tokens.json"
    local client = assert(devkit4ai.new { base_url = server.url, store = require("devkit4ai.store.file").new(path),
      developer_key = "d" })
    assert(client:login("someone@example.com", "x")) -- both go on with it
    local pipes = {}
    for i = 1, 2 do
      pipes[i] = assert(io.popen(("ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 "
        .. "timeout 60 '%s' '%s' '%s' '%s' %d %d 2>&1"):format(
        child.interpreter(), script, server.url, path, seed + i, STEPS)))
    end
    local said, logins = {}, 1
    for i, pipe in ipairs(pipes) do
      said[i] = pipe:read("*a")
      pipe:close()
      logins = logins + (tonumber(said[i]:match("^done (%d+)\n$")) or math.huge)
    end
    client._secrets:set("access_token", "any")
    local tally = cjson.decode(assert(client:request { method = "GET", path = "/tally" }).body)
    client:close()
    local story = ("DEVKIT4AI_SEED=%d: %s; the programs said: %s"):format(
      seed, cjson.encode(tally), table.concat(said, " / "))
    assert.is_true(logins < math.huge, story)
    assert.equal(0, tally.at_once, story)
    assert.equal(0, tally.reused, story)
    assert.equal(logins, tally.logins, story)
    assert.is_true(tally.refreshes > 20 and tally.expired > 0, story) -- else it shows nothing
    assert.is_true(tally.refreshes <= 3 * 2 * STEPS, story)
    assert.same({ "tokens.json", "walker.lua" }, child.list(folder))
  end)
end)
