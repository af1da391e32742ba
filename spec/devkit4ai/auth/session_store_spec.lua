-- Sessions in a store: which client takes which tokens, and which faults of a store do no harm.
local devkit4ai = require "devkit4ai"
local child = require "spec.support.process.child"
local jwt = require("spec.support.servers.jwt").of
local memory = require "devkit4ai.store.memory"
local waits = require "devkit4ai.loop.waits"
local token_server = require "spec.support.servers.token_server"

local server, store
local seen = token_server.seen

local function serve(options)
  server = token_server.start(options)
  return server
end

before_each(function() store = memory.new() end)
after_each(function()
  if server then server:stop() end
  server = nil
end)

local function new(more, library)
  local options = { base_url = server.url, store = store }
  for name, value in pairs(more or {}) do options[name] = value end
  return assert((library or devkit4ai).new(options))
end

local function login(client, email)
  return assert(client:login(email or "Someone@Example.com", "x"))
end

local function place()
  return server.url .. " developer -"
end

-- Writes a record as another program would.
local function put(account, access_token, refresh_token, fields)
  local record = { place = place(), account = account, access_token = access_token, refresh_token = refresh_token,
    ends = os.time() + 1800 }
  for name, value in pairs(fields or {}) do record[name] = value end
  store.set(place() .. " " .. account, require("cjson").encode(record))
end

local function record_of(account)
  local text = store.get(place() .. " " .. account)
  return text and require("cjson").decode(text)
end

-- What a process has once: the core and the event loop.
local function is_shared(name)
  return name == "devkit4ai.core" or name:find("^devkit4ai%.loop%.") ~= nil
end

-- A client of another program: of a second copy of the library, which shares no state with the first one.
local function elsewhere(more)
  local loaded = {}
  for name, module in pairs(package.loaded) do
    if name:find("^devkit4ai") and not is_shared(name) then loaded[name] = module end
  end
  for name in pairs(loaded) do package.loaded[name] = nil end
  local ok, client = pcall(function()
    local other = new(more, require "devkit4ai")
    require("devkit4ai.util.lazy").load_all() -- of this copy; later, a name would give the first copy's module
    return other
  end)
  for name in pairs(package.loaded) do
    if name:find("^devkit4ai") and not is_shared(name) then package.loaded[name] = nil end
  end
  for name, module in pairs(loaded) do package.loaded[name] = module end
  return assert(ok and client, client)
end

describe("a login with a store", function()
  it("writes one record, under base URL, role, project and account, and one that names the account", function()
    serve()
    local before = os.time()
    local client = login(new())
    local record = record_of("someone@example.com")
    assert.same({ "access-1", "refresh-1", "someone@example.com" },
      { record.access_token, record.refresh_token, record.account })
    assert.is_true(record.ends >= before + 1800 and record.ends <= os.time() + 1800)
    assert.is_nil(store.get(place()):find("access-1", 1, true))
    client:close()
  end)

  it("takes the account from the token, if the token can be read", function()
    serve { jwt = true }
    local client = login(new(), "user-7@x")
    assert.equal("user-7@x", record_of("user-7@x").account)
    client:close()
  end)

  it("is continued by a client without tokens and without a login", function()
    serve()
    login(new()):close()
    local client = new()
    assert(client:me())
    assert.equal("login, me", seen(server))
    client:close()
  end)

  it("is continued at the first call if it came after the client was made", function()
    serve()
    local client = new()
    local _, _, err = client:me()
    assert.equal("config", err.kind)
    login(new()):close()
    assert(client:me())
    assert.equal("login, me", seen(server))
    client:close()
  end)

  it("is continued by client:tokens", function()
    serve()
    local client = new()
    assert.equal("config", select(3, client:tokens()).kind)
    login(new()):close()
    assert.same({ access_token = "access-1", refresh_token = "refresh-1" }, assert(client:tokens()))
    assert.equal("login", seen(server))
    client:close()
  end)

  it("is not continued for another role or another base URL", function()
    serve()
    login(new()):close()
    local ID = "550e8400-e29b-41d4-a716-446655440000"
    for _, other in ipairs {
      { role = "platform_operator" }, { role = "end_user", project_id = ID }, { base_url = server.url .. "/x" },
    } do
      local client = new(other)
      local _, _, err = client:refresh_token()
      assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
      client:close()
    end
  end)

  it("is not continued by an end user's client, which may be another user's", function()
    serve()
    local ID = "550e8400-e29b-41d4-a716-446655440000"
    local developer = new { project_id = ID, project_key = "k", developer_key = "d", access_token = "t" }
    local user = assert(developer:project(ID):end_user {})
    assert(user:login("someone@example.com", "x"))
    local other = assert(developer:project(ID):end_user {})
    local _, _, err = other:me()
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    developer:close()
  end)

  it("is not continued if a session without a known account is over", function()
    serve()
    local client = new { refresh_token = "used" }
    assert.equal("auth", select(3, client:me()).kind)
    login(new()):close()
    assert.equal("config", select(3, client:me()).kind)
    assert.equal("refresh used, login", seen(server))
    client:close()
  end)

  it("of another account has its own refresh token or none, never the old account's", function()
    serve()
    local client = new { refresh_token = "refresh-0" }
    login(client, "one@example.com")
    local session = require "devkit4ai.auth.session"
    session.accept(client, { access_token = "opaque" }, "login", "two@example.com")
    assert.is_false(session.can_refresh(client))
    local record = record_of("two@example.com")
    assert.same({ "opaque" }, { record.access_token, record.refresh_token })
    client:close()
  end)
end)

describe("a refresh with a store", function()
  it("is stored, with the new refresh token", function()
    serve()
    local client = login(new())
    assert(client:refresh_token())
    assert.same({ "access-2", "refresh-2" },
      { record_of("someone@example.com").access_token, record_of("someone@example.com").refresh_token })
    client:close()
    client = new()
    assert(client:me())
    assert.equal("login, refresh refresh-1, me", seen(server))
    client:close()
  end)

  for form, answer in pairs { absent = "", null = ", refresh_token = require('cjson').null",
    empty = ', refresh_token = ""' } do
    it("keeps the old refresh token if the new one is " .. form, function()
      serve { refresh = ("do return conn:respond(200, { access_token = 'new'%s }) end"):format(answer) }
      local client = login(new())
      assert(client:refresh_token())
      assert.same({ "new", "refresh-1" },
        { record_of("someone@example.com").access_token, record_of("someone@example.com").refresh_token })
      client:close()
    end)
  end

  it("takes the newer tokens of another program, and sends nothing", function()
    serve { keep = true }
    local client = login(new())
    local other = elsewhere()
    assert(other:refresh_token())
    client._session.refresh_at = 0
    assert(client:me())
    assert.equal("login, refresh refresh-1, me", seen(server))
    other:close()
    client:close()
  end)

  it("takes them also after a 401", function()
    serve()
    local client = login(new())
    local other = elsewhere()
    assert(other:refresh_token()) -- access-1 is no good from now on
    assert(client:me())
    assert.equal("login, refresh refresh-1, me, me", seen(server))
    other:close()
    client:close()
  end)

  it("takes them after a 401, and refreshes them if they are refused as well", function()
    serve()
    local client = login(new())
    assert(elsewhere():refresh_token())
    put("someone@example.com", "ended early", "refresh-2")
    assert(client:me())
    assert.equal("login, refresh refresh-1, me, me, refresh refresh-2, me", seen(server))
    client:close()
  end)

  it("takes them, and refreshes them if they have expired", function()
    serve()
    local client = login(new())
    assert(elsewhere():refresh_token())
    put("someone@example.com", "access-2", "refresh-2", { ends = os.time() - 5 })
    client._session.refresh_at = 0
    assert(client:me())
    assert.equal("login, refresh refresh-1, refresh refresh-2, me", seen(server))
    client:close()
  end)

  it("that is refused takes the newer tokens that came during it, and the session continues", function()
    serve()
    login(new()):close()
    local reads, old = -1, store.get(place() .. " someone@example.com")
    local late = memory.new() -- the same store; another program writes between our look and our refresh, whatever the lock
    late.set, late.lock = store.set, store.lock
    late.get = function(key)
      if key == place() then return store.get(key) end
      reads = reads + 1
      return reads <= 1 and old or store.get(key) -- at the start and before the refresh, and only then the truth
    end
    local client = new { store = late }
    local other = elsewhere()
    assert(other:refresh_token())
    assert(client:refresh_token())
    assert(client:me())
    assert.equal("login, refresh refresh-1, refresh refresh-1, me", seen(server))
    other:close()
    client:close()
  end)

  it("that is refused removes the record, and then finds the account's next login there", function()
    serve { refresh = "account = nil" }
    local client = login(new())
    local _, message, err = client:refresh_token()
    assert.equal("auth", err.kind)
    assert.is_truthy(message:find("log in again", 1, true))
    assert.is_nil(record_of("someone@example.com"))
    _, _, err = client:me()
    assert.equal("config", err.kind)
    login(new(), "else@example.com"):close() -- another account's is not taken
    _, _, err = client:me()
    assert.equal("config", err.kind)
    login(new()):close()
    assert(client:me())
    client:close()
  end)

  for what, fields in pairs {
    ["another account"] = { account = "else@example.com" },
    ["another place"] = { place = "https://elsewhere developer -" },
    ["no place"] = { place = false }, ["a number as token"] = { access_token = 7 },
    ["a token with a line feed"] = { access_token = "a\nb" }, ["no token"] = { access_token = "" },
  } do
    it("does not take a record with " .. what, function()
      serve()
      local client = login(new())
      put("someone@example.com", "newer", "newer", fields)
      client._session.refresh_at = 0
      assert(client:me())
      assert.equal("login, refresh refresh-1, me", seen(server))
      client:close()
    end)
  end

  for what, ends in pairs { ["a year ago"] = -365 * 86400, ["in a year"] = 365 * 86400, ["at no time"] = false } do
    it("works with a wrong clock: the record ends " .. what, function()
      serve { keep = true }
      login(new()):close()
      local record = record_of("someone@example.com")
      put("someone@example.com", record.access_token, record.refresh_token, { ends = ends and os.time() + ends })
      local client = new()
      assert(client:me())
      assert(client:me())
      assert.equal(what == "a year ago" and "login, refresh refresh-1, me, me" or "login, me, me", seen(server))
      client:close()
    end)
  end

  it("waits for the lock of another program, and then takes its tokens", function()
    serve()
    local client = login(new())
    local other = elsewhere()
    local unlock = assert(store.lock(place() .. " someone@example.com", 60))
    local task = devkit4ai.spawn(function() return client:refresh_token() end)
    assert.is_nil((other:refresh_token { timeout = 0.15 })) -- nor does this one go first
    assert.equal("login", seen(server))
    put("someone@example.com", "access-1", "refresh-x")
    unlock()
    assert.equal(client, task:join())
    assert.equal("login", seen(server))
    other:close()
    client:close()
  end)

  it("frees the lock whether it succeeds or fails", function()
    for _, refresh in ipairs { "", "account = nil", "do return conn:close() end" } do
      serve { refresh = refresh }
      local client = login(new())
      client:refresh_token()
      assert.is_function(store.lock(place() .. " someone@example.com", 60))
      client:close()
      server:stop()
    end
  end)
end)

describe("tokens of the options and a store", function()
  local function ending(n, seconds)
    return jwt(('{"sub":"user","exp":%d,"n":%d}'):format(os.time() + seconds, n))
  end

  it("are replaced by the newer ones of the store", function()
    serve()
    put("user", ending(2, 1200), "refresh-9")
    local client = new { access_token = ending(1, 600), refresh_token = "refresh-0" }
    assert.is_nil((client:refresh_token()))
    assert.equal("refresh refresh-9", seen(server))
    client:close()
  end)

  it("stay if they are newer, and are stored at the first refresh", function()
    serve { jwt = true }
    put("user", ending(1, 600), "refresh-9")
    local client = new { access_token = ending(2, 1200), refresh_token = "refresh-0" }
    assert(client:refresh_token())
    assert.equal("refresh refresh-0", seen(server))
    assert.equal("refresh-1", record_of("user").refresh_token)
    client:close()
  end)

  it("are replaced by the store's if they are refused", function()
    serve()
    login(new(), "user@x"):close()
    put("user", "access-1", "refresh-1", { ends = os.time() - 1 })
    local client = new { access_token = ending(1, 600), refresh_token = "used" }
    assert(client:me())
    assert.equal("login, me, refresh used, refresh refresh-1, me", seen(server))
    client:close()
  end)

  it("are not stored without an account", function()
    serve()
    local client = new { refresh_token = "refresh-0" }
    assert(client:me())
    store.lock = error
    assert(client:refresh_token())
    assert.equal("refresh refresh-0, me, refresh refresh-1", seen(server))
    client:close()
  end)

  it("are stored when a refresh names the account", function()
    serve { jwt = true }
    local client = new { refresh_token = "refresh-0" }
    assert(client:me())
    assert.equal("refresh-1", record_of("someone").refresh_token)
    client:close()
  end)
end)

describe("client:logout", function()
  it("forgets the tokens, also in the store, and may be repeated", function()
    serve()
    local client = login(new())
    assert.is_true(client:logout())
    assert.is_true(client:logout())
    assert.is_nil(record_of("someone@example.com"))
    assert.is_nil(store.get(place()))
    local _, message, err = client:me()
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("call client:login first", 1, true))
    assert.equal("login", seen(server))
    assert(login(client):me())
    client:close()
  end)

  it("works without a store", function()
    serve()
    store = nil
    local client = login(new())
    assert.is_true(client:logout())
    assert.equal("config", select(3, client:refresh_token()).kind)
    client:close()
  end)

  it("does not change another account's sessions", function()
    serve()
    local client, other = login(new(), "one@example.com"), login(new(), "two@example.com")
    assert.is_true(client:logout())
    assert.equal("access-2", record_of("two@example.com").access_token)
    assert.is_string(store.get(place())) -- it was the last to log in
    other:close()
    client:close()
  end)

  it("gets no tokens back from a refresh in progress", function()
    serve { refresh = "conn:hold()" }
    local client = login(new())
    local task = devkit4ai.spawn(function() return client:refresh_token() end)
    while not seen(server):find("refresh ", 1, true) do waits.sleep(0.01) end
    assert.is_true(client:logout())
    server:release()
    task:join()
    assert.equal("config", select(3, client:me()).kind)
    assert.is_nil(record_of("someone@example.com"))
    client:close()
  end)

  it("fails if the store can't be emptied, and does not show the tokens", function()
    serve()
    local client = login(new())
    store.set = function() return nil, "it holds access-1 and refresh-1 for good" end
    local done, message, err = client:logout()
    assert.is_nil(done)
    assert.same({ "file", "not_sent", "logout" }, { err.kind, err.outcome, err.operation })
    assert.is_truthy(message:find("forgotten here, but the store could not be emptied: it holds *** and ***", 1, true))
    assert.equal("config", select(3, client:me()).kind)
    client:close()
  end)

  it("raises on a client that is closed", function()
    serve()
    local client = new()
    client:close()
    local ok, why = pcall(client.logout, client)
    assert.is_false(ok)
    assert.is_truthy(why:find("the client is closed", 1, true))
  end)
end)

describe("a faulty store", function()
  it("is refused if it lacks a function", function()
    for _, name in ipairs { "get", "set", "lock" } do
      local part = memory.new()
      part[name] = nil
      local ok, why = pcall(function() devkit4ai.new { store = part } end)
      assert.is_false(ok)
      assert.is_truthy(why:find("it has no " .. name, 1, true))
      assert.is_truthy(why:find("session_store_spec.lua", 1, true))
    end
  end)

  local function raise() error("the store is broken") end
  local function raise_table() error({}) end

  -- whatever it does: a login, two renewals that each need the token of the one before, and calls between
  for what, broken in pairs {
    ["get raises"] = { get = raise }, ["get raises a table"] = { get = raise_table },
    ["get gives a number"] = { get = function() return 7 end },
    ["get gives a table"] = { get = function() return {} end },
    ["get gives true"] = { get = function() return true end },
    ["get gives broken JSON"] = { get = function() return '{"access_token":"x' end },
    ["get gives other JSON"] = { get = function() return "[1,2,[[[]]]]" end },
    ["get gives null"] = { get = function() return "null" end },
    ["set raises"] = { set = raise }, ["set raises a table"] = { set = raise_table },
    ["set says no"] = { set = function() return nil, "read-only" end },
    ["set gives nothing"] = { set = function() end }, ["set raises an object without a text"] = { set = function()
      error(setmetatable({}, { __tostring = function() error "no" end }))
    end }, ["set gives rubbish"] = { set = function() return {}, {} end },
    ["lock raises"] = { lock = raise }, ["lock gives true"] = { lock = function() return true end },
    ["lock gives a number"] = { lock = function() return 7 end },
    ["unlock raises"] = { lock = function() return raise end },
    ["all raise"] = { get = raise, set = raise, lock = raise },
  } do
    it("is ignored: " .. what, function()
      serve()
      for name, fn in pairs(broken) do store[name] = fn end
      local client = login(new { on_event = function() end })
      assert(client:me())
      assert(client:refresh_token())
      assert(client:me())
      client._session.refresh_at = 0
      assert(client:me())
      assert.equal("login, me, refresh refresh-1, me, refresh refresh-2, me", seen(server))
      client:close()
    end)
  end

  it("is used without a lock after the lease, and no caller waits longer than its timeout", function()
    serve()
    store.lock = function() end
    local client = login(new())
    local _, _, err = client:refresh_token { timeout = 0.15 }
    assert.equal("timeout", err.kind)
    assert.equal("login", seen(server))
    local ahead, now, sleep = 0, waits.now, waits.sleep
    finally(function() waits.now, waits.sleep = now, sleep end)
    waits.now = function() return now() + ahead end
    waits.sleep = function(seconds, owner)
      ahead = ahead + seconds
      return sleep(0, owner)
    end
    assert(client:refresh_token())
    assert.equal("login, refresh refresh-1", seen(server))
    assert.is_true(ahead >= 59 and ahead < 62, ahead)
    client:close()
  end)

  it("gives other expired tokens each time: the call fails and does not loop for ever", function()
    serve()
    local client = login(new())
    local n = 0
    store.get = function(key)
      n = n + 1
      return ('{"place":"%s","account":"someone@example.com","access_token":"a%d","refresh_token":"r%d","ends":5}')
        :format(key:match("^(.*) "), n, n)
    end
    local done, message, err = client:refresh_token()
    assert.is_nil(done)
    assert.equal("protocol", err.kind)
    assert.is_truthy(message:find("the store gives other tokens each time", 1, true))
    assert.equal("login", seen(server))
    client:close()
  end)

  it("keeps old tokens because it is read-only: a refresh uses the client's newer ones", function()
    serve()
    local client = login(new { on_event = function() end })
    store.set = function() return nil, "read-only" end
    for _ = 1, 3 do assert(client:refresh_token()) end
    assert(client:me())
    assert.equal("login, refresh refresh-1, refresh refresh-2, refresh refresh-3, me", seen(server))
    client:close()
  end)
end)

-- Its set is busy `times` times, or always. Returns how often it was called.
local function make_busy(times)
  local set, calls = store.set, { n = 0 }
  store.set = function(key, value)
    calls.n = calls.n + 1
    if calls.n <= times then return nil, "busy" end
    return set(key, value)
  end
  return calls
end

-- A test clock: only sleeps advance it. They take no time and are counted.
local function quick_clock()
  local ahead, now, sleep = 0, waits.now, waits.sleep
  local began = now()
  finally(function() waits.now, waits.sleep = now, sleep end)
  waits.now = function() return began + ahead end
  waits.sleep = function(seconds, owner)
    ahead = ahead + seconds
    return sleep(0, owner)
  end
  return function() return ahead end
end

describe("the time for which a store keeps a record", function()
  local DAY = 86400
  for what, case in pairs {
    ["is the life of the refresh token"] = { jwt(('{"exp":%d}'):format(os.time() + 7 * DAY)), 7 * DAY },
    ["is 30 days at most"] = { jwt(('{"exp":%d}'):format(os.time() + 90 * DAY)), 30 * DAY },
    ["is 30 days where the token can't be read"] = { "opaque", 30 * DAY },
    ["is 30 days where a clock is wrong"] = { jwt('{"exp":1}'), 30 * DAY },
  } do
    it(what, function()
      local set, kept = store.set, {}
      store.set = function(key, value, seconds)
        kept[#kept + 1] = seconds
        return set(key, value)
      end
      serve { refresh = ("if true then conn:respond(200, { access_token = 'access', refresh_token = '%s' }) return end")
        :format(case[1]) }
      local client = new { access_token = jwt('{"sub":"someone"}'), refresh_token = "refresh-0" }
      assert(client:refresh_token())
      assert.is_true(kept[1] > case[2] - 600 and kept[1] <= case[2], kept[1])
    end)
  end

  it("has no end for the name of the last login's account", function()
    serve()
    local set, kept = store.set, {}
    store.set = function(key, value, seconds)
      kept[key] = seconds or "always"
      return set(key, value)
    end
    login(new())
    assert.equal("always", kept[place()])
  end)
end)

describe("a busy store", function()
  it("is tried again, and then has the login's tokens", function()
    serve()
    local calls = make_busy(3)
    quick_clock()
    local client = login(new())
    assert.equal(5, calls.n) -- the record at the fourth try, and who logged in last
    assert.equal("access-1", record_of("someone@example.com").access_token)
    assert.is_string(store.get(place()))
    client:close()
  end)

  it("is tried through the loop: other tasks run between the tries", function()
    serve()
    local calls = make_busy(math.huge)
    local client = new { on_event = function() end }
    local task = devkit4ai.spawn(function() return login(client) end)
    while calls.n == 0 do waits.sleep(0.001) end
    local done
    devkit4ai.spawn(function() done = task.done == true end):join()
    assert.is_false(done)
    task:cancel() -- ends the tries, and not the login
    local tries = calls.n
    repeat waits.sleep(0.001) until task.done
    assert.equal(tries, calls.n)
    assert(client:me())
    client:close()
  end)

  it("is given up after two seconds or the call's timeout: an event reports it, and the login succeeds", function()
    serve()
    make_busy(math.huge)
    local time, told = quick_clock(), {}
    local client = new { on_event = function(event) told[#told + 1] = event.message end }
    login(client)
    assert.is_true(time() > 1.9 and time() < 2.2, time())
    assert.equal(1, #told)
    assert.is_truthy(told[1]:find("keep the session: another program was writing it for 2.0 s", 1, true), told[1])
    assert(client:me())
    local before = time()
    local session = require "devkit4ai.auth.session"
    assert(session.accept(client, { access_token = "other" }, "login", "someone@example.com", 0.5))
    assert.is_true(time() - before > 0.4 and time() - before < 0.7, time() - before)
    client:close()
  end)

  it("gets the tokens of a refresh as well", function()
    serve()
    local client = login(new())
    local calls = make_busy(2)
    quick_clock()
    assert(client:refresh_token())
    assert.equal(3, calls.n)
    assert.equal("refresh-2", record_of("someone@example.com").refresh_token)
    client:close()
  end)

  it("never gets older tokens after newer ones", function()
    serve { keep = true }
    local client = login(new())
    local set, anew, late = store.set, nil, false
    store.set = function(key, value)
      if not (value and value:find("access-2", 1, true)) then return set(key, value) end
      late = late or anew ~= nil and anew.done == true
      anew = anew or devkit4ai.spawn(function() return login(client) end)
      return nil, "busy" -- for the renewal's tokens
    end
    assert(client:refresh_token())
    anew:join()
    assert.is_false(late)
    assert.equal("refresh-3", record_of("someone@example.com").refresh_token)
    client:close()
  end)

  it("is emptied by a logout, unless a login comes first", function()
    serve()
    local client = login(new())
    make_busy(2)
    quick_clock()
    assert.is_true(client:logout())
    assert.is_nil(record_of("someone@example.com"))
    assert.is_nil(store.get(place()))
    client:close()
  end)

  it("keeps a login that comes while a logout waits", function()
    serve()
    local client = login(new())
    make_busy(1)
    local task = devkit4ai.spawn(function() return client:logout() end)
    repeat devkit4ai.update() until client._session.expires_at == math.huge
    login(client)
    task:join()
    assert.equal("access-2", record_of("someone@example.com").access_token)
    client:close()
  end)
end)

describe("a store that fails without a listener", function()
  local RUN = [[
    local url, path = ...
    local devkit4ai = require "devkit4ai"
    local store = require("devkit4ai.store.file").new(path)
    store.can_write = nil -- which would make new fail
    local client = assert(devkit4ai.new { base_url = url, store = store })
    for _ = 1, 2 do assert(client:login("someone@example.com", "x")) end
    assert(client:refresh_token())
  ]]

  it("is reported once on standard error", function()
    serve()
    local ended = child.run(RUN, { args = { server.url, "/nonexistent/folder/sessions.json" } })
    local _, count = ended.err:gsub("the store did not keep the session: /nonexistent/folder/", "")
    assert.equal(1, count, ended.err)
    assert.is_nil(ended.err:find("access-", 1, true))
  end)

  it("is the reason in the error of a client without tokens", function()
    serve()
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local path = folder .. "/open.json"
    assert(io.open(path, "w")):close()
    os.execute(("chmod 644 '%s'"):format(path))
    local unreadable = require("devkit4ai.store.file").new(path)
    unreadable.can_write = nil -- which would make new fail
    local client = new { store = unreadable }
    for _, call in ipairs { client.me, client.refresh_token } do
      local value, message, err = call(client)
      assert.is_nil(value)
      assert.same({ "file", "not_sent", message }, { err.kind, err.outcome, err.message })
      assert.is_truthy(message:find(path, 1, true), message)
      assert.is_truthy(message:find("client:login", 1, true), message)
    end
    os.execute(("chmod 600 '%s'"):format(path))
    assert.equal("config", select(3, client:me()).kind) -- it can be read, and is empty
    assert.equal("", seen(server))
    client:close()
  end)
end)

describe("a refresh that waits for the store's lock", function()
  for title, followers_store in pairs { ["with the store"] = true, ["without a store"] = false } do
    it("continues for another client " .. title .. " if its own is closed", function()
      serve()
      local leader = login(new())
      local options = { base_url = server.url, access_token = "access-1", refresh_token = "refresh-1" }
      if followers_store then options.store = store end
      local follower = assert(devkit4ai.new(options))
      -- the account, which this token does not name
      follower._stored_session = followers_store and leader._stored_session or nil
      local unlock = assert(store.lock(place() .. " someone@example.com", 60))
      local asked, lock = false, store.lock
      store.lock = function(...)
        asked = true
        return lock(...)
      end
      local lead = devkit4ai.spawn(function() return select(3, leader:refresh_token()).kind end)
      repeat waits.sleep(0.001) until asked
      local follow = devkit4ai.spawn(function() return follower:refresh_token() end)
      waits.sleep(0)
      leader:close()
      assert.equal("cancelled", lead:join())
      unlock()
      assert.equal(follower, follow:join())
      assert(follower:me())
      assert.equal("login, refresh refresh-1, me", seen(server))
      assert.equal(followers_store and "refresh-2" or "refresh-1", record_of("someone@example.com").refresh_token)
      assert.is_function(lock(place() .. " someone@example.com", 60)) -- it is free again
      follower:close()
    end)
  end
end)

describe("a login that comes while a refresh waits for the store's lock", function()
  it("is not refreshed: the old token is not sent any more", function()
    serve { keep = true }
    local client = login(new())
    local unlock = assert(store.lock(place() .. " someone@example.com", 60))
    local asked, lock = false, store.lock
    store.lock = function(...)
      asked = true
      return lock(...)
    end
    local task = devkit4ai.spawn(function() return client:refresh_token() end)
    repeat waits.sleep(0.001) until asked
    login(client)
    unlock()
    assert.equal(client, task:join())
    assert(client:me())
    assert.equal("login, login, me", seen(server))
    client:close()
  end)
end)

-- In its own process: until a garbage collection, the library still reaches the clients of other specs.
local TOKENS_IN_REACH = [[
  local url = ...
  local kept_elsewhere = {}
  local outer = { -- what it is given is its own affair
    get = function(key) return kept_elsewhere[key] end, lock = function() return function() end end,
    set = function(key, value) kept_elsewhere[key] = value return true end,
  }
  local client = assert(require("devkit4ai").new { base_url = url, store = outer })
  assert(client:login("Someone@Example.com", "x"))
  assert(client:refresh_token())
  assert(client:me())
  local known = { [kept_elsewhere] = true, [_G] = true }
  local function look(value, path)
    if type(value) == "string" and (value:find("access-", 1, true) or value:find("refresh-", 1, true)) then
      print(path)
    end
    if known[value] or (type(value) ~= "table" and type(value) ~= "function") then return end
    known[value] = true
    if type(value) == "function" then
      for i = 1, 200 do
        local name, upvalue = debug.getupvalue(value, i)
        if not name then break end
        look(upvalue, path .. "^" .. name)
      end
      return
    end
    for key, item in next, value do
      look(key, path .. ".KEY")
      look(item, path .. "." .. tostring(key))
    end
    look(getmetatable(value), path .. ".METATABLE")
  end
  look(client, "client")
  for name, module in pairs(package.loaded) do
    if name:find("^devkit4ai") then look(module, name) end
  end
  assert(known[client._stored_session])
  assert(next(kept_elsewhere))
  client:close()
]]

describe("a client with a store", function()
  it("has no token in any field that can be reached from it or from the library", function()
    serve()
    local ended = child.run(TOKENS_IN_REACH, { args = { server.url } })
    assert.same({ 0, "", "" }, { ended.code, ended.out, ended.err })
    assert.equal("login, refresh refresh-1, me", seen(server))
  end)
end)
