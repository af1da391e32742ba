--- The session: which tokens are in use, when they end, and one refresh for all who wait for it: the calls of a client, the
--- clients that hold the same refresh token, and by the store's lock other programs.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local waits = require "devkit4ai.loop.waits"
local jwt = require "devkit4ai.auth.jwt"
local shared_tokens = require "devkit4ai.auth.shared_tokens"

local M = {}

local unpack = table.unpack or unpack -- luacheck: ignore 113

local stored_session -- the module of stores; it comes with the first client that has one

local AHEAD = 300 -- seconds before the end at which the token is renewed (the guide's token strategy)
local AGAIN = 30 -- seconds until the next try, after one that was not refused
local AGED = 300 -- seconds until a 401 may renew a token that was refused when it was new: a bad key is the cause (wire.md D51)
local LEASE = 60 -- seconds for which the store's lock is taken; nobody waits longer for it
local HELD = 50 -- seconds for a refresh under the lock; less than its lease
local ROUNDS = 5 -- refreshes that one caller waits for, where each brings tokens that have ended

-- `due`: when to renew; `ends`; `stored`: the token is from the store; `refused`: when the server refused it though it was new
local NEVER = { due = math.huge, ends = math.huge } -- nobody can renew
local LOST = { due = 0, ends = 0 } -- there are no tokens, but the store may have some by the next call

local flights = setmetatable({}, { __mode = "v" }) -- a refresh token's key -> its refresh that is under way

local function has_refresh_token(client)
  return client._secrets:has("refresh_token")
end

--- Whether renewing the tokens may help after a 401: there is a refresh token, and the last new token was not refused, too.
function M.can_renew(client)
  local refused = client._session.refused
  return has_refresh_token(client) and not (refused and waits.now() - refused < AGED)
end

--- Whether a call that met a 401 may get new tokens and be made again: once, and once more where it first got the store's.
---@param client devkit4ai.Client
---@param used table client._session when the request went out
---@param mended integer how often this call got new tokens
---@return boolean
function M.can_mend(client, used, mended)
  if mended > 0 and not used.stored then
    used.refused = waits.now() -- the token is new, and not to blame
    return false
  end
  return mended < 2 and M.can_renew(client)
end

local function begin(client, life, from)
  local now = waits.now()
  client._session = has_refresh_token(client)
    and { ends = now + life, due = now + math.max(life - AHEAD, life / 2), stored = from == "store" } or NEVER
end

-- The values of slots, in the open. Only those that are filled.
local function values_of(secrets, ...)
  return json.decode_plain(secrets:json("{}", ...))
end

-- Answers to what is under way may repeat the tokens that it went out with: the last ones stay hidden.
local function retire(secrets)
  for slot, old in pairs(values_of(secrets, "access_token", "refresh_token")) do
    secrets:set("former " .. slot, old, "body")
  end
end

-- Gives a client tokens from a login, a refresh, the store. Without a refresh token the old one stays (wire.md 2.3),
-- unless it is another login's.
local function hold(client, tokens, life, from)
  local secrets = client._secrets
  retire(secrets)
  local set, _, why = secrets:set("access_token", tokens.access_token)
  if not set then return nil, why end
  shared_tokens.leave(client)
  if tokens.refresh_token or from == "login" then secrets:set("refresh_token", tokens.refresh_token or "", "body") end
  shared_tokens.join(client)
  begin(client, life, from)
  return true
end

local function forget(client)
  shared_tokens.leave(client)
  retire(client._secrets)
  client._secrets:set("access_token", "") -- not cleared: a parent's would be seen
  client._secrets:set("refresh_token", "", "body")
end

-- Goes on with the account's session in the store, or where the client has no account with that of the last login.
local function continue(client)
  local mine = client._kept
  local account = mine.account
  mine.account = account or (mine.resumes and stored_session.last_account(mine)) or nil
  local record = stored_session.newer(client)
  if record and hold(client, record, record.left, "store") then return true end
  mine.account = account
end

local function is_later(a, b)
  local ends_a, ends_b = a and jwt.ends(a), b and jwt.ends(b)
  return ends_a and ends_b and ends_a > ends_b
end

-- The tokens of the options may be older than what the store got from them since.
local function start_kept(client, access_token, refresh_token)
  client._kept.account = jwt.account(access_token or "") or jwt.account(refresh_token or "")
  local record = stored_session.newer(client)
  if record and (is_later(record.refresh_token, refresh_token) or is_later(record.access_token, access_token)) then
    hold(client, record, record.left, "store")
  end
end

--- Starts the session of a new client: with the tokens it was given, or by its refresh token at the first call.
---@param client devkit4ai.Client
---@param access_token string?
---@param refresh_token string?
function M.start(client, access_token, refresh_token)
  client._session = NEVER
  if client._store then
    stored_session = require "devkit4ai.auth.stored_session"
    client._kept = stored_session.new(client, client._store)
  end
  if not access_token and not has_refresh_token(client) then return end
  shared_tokens.join(client)
  begin(client, access_token and jwt.life(access_token, os.time()) or 0)
  if client._kept then start_kept(client, access_token, refresh_token) end
end

--- Whether the client's store can keep a session.
---@param client devkit4ai.Client
---@param call_name string the call, as the user knows it
---@param operation string?
---@return boolean? fine
---@return string? message
---@return devkit4ai.Error? err kind `file`
function M.check_store(client, call_name, operation)
  if client._closed or not client._kept then return true end
  local fine, why = stored_session.check(client._kept.store)
  if fine then return true end
  local message = ("%s: the store can't keep a session: %s. Nothing was sent. Make the store writable, or leave out "
    .. "the option store"):format(call_name, client._secrets:mask(why))
  return errors.refuse("file", message, operation)
end

--- Lets a client without tokens go on with the last login that its store knows. One of many end users must not: it would be
--- somebody else.
---@param client devkit4ai.Client
function M.resume(client)
  if not client._kept or client._secrets:has("access_token") or has_refresh_token(client) then return end
  client._kept.resumes = true
  if not continue(client) then client._session = LOST end
end

local function closed_meanwhile(operation)
  return errors.fail({
    kind = "cancelled", outcome = "unknown", operation = operation, message = "the client was closed meanwhile",
  })
end

local function unusable(operation, why)
  return errors.fail({ kind = "protocol", outcome = "unknown", operation = operation,
    message = "the server's access token can't be used: " .. why })
end

--- Takes the tokens of a login.
---@param client devkit4ai.Client
---@param tokens { access_token: string, refresh_token: string? }
---@param operation string
---@param email string? names the account where the token does not
---@param seconds number? how long a busy store may take
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.accept(client, tokens, operation, email, seconds)
  if client._closed then return closed_meanwhile(operation) end -- its secrets are wiped, and stay so
  local life = jwt.life(tokens.access_token, os.time())
  local held, why = hold(client, tokens, life, "login")
  if not held then return unusable(operation, why) end
  local mine = client._kept
  if mine then
    mine.account, mine.seen = jwt.account(tokens.access_token) or (email and email:lower()), nil
    if stored_session.write(client, life, seconds) then stored_session.point(client, seconds) end
  end
  return true
end

-- Gives new tokens to all that hold the old one, and then to their stores but the one that they are from.
local function share(key, tokens, life, from)
  local written = {} -- store -> the record's key
  if from then written[from.store] = stored_session.key(from) end
  local clients = shared_tokens.of(key)
  for _, client in ipairs(clients) do
    local held, why = hold(client, tokens, life, from and "store" or "refresh")
    if not held then return unusable("refresh_token", why) end
  end
  for _, client in ipairs(clients) do
    local mine = client._kept
    if mine then
      mine.account = mine.account or jwt.account(tokens.access_token)
      local shared = mine.account and written[mine.store] == stored_session.key(mine)
      if shared then stored_session.note(client) else stored_session.write(client, life) end
      written[mine.store] = stored_session.key(mine)
    end
  end
  return true
end

local REFUSED = { auth = true, forbidden = true, invalid = true }

local function over(key, err)
  local marks = {}
  for _, client in ipairs(shared_tokens.of(key)) do
    marks[client] = client._kept and stored_session.mark(client)
    forget(client)
    client._session = client._kept and LOST or NEVER
  end
  for client, mark in pairs(marks) do
    if mark then stored_session.drop(client, mark) end
  end
  return errors.fail({
    kind = "auth", outcome = "refused", operation = "refresh_token", status = err.status, attempts = err.attempts,
    what = "the session is over: the server refused the refresh token", advice = "log in again with client:login",
    hint = "log_in",
  })
end

-- A client that still has the token which the refresh is about: the one that asked first, or another one. None: each was
-- closed, has logged out or has logged in anew meanwhile.
local function holder_of(flight)
  local clients = shared_tokens.of(flight.key)
  for _, client in ipairs(clients) do
    if client == flight.client then return client end
  end
  return clients[1]
end

-- The store's tokens in place of the client's; where they have ended, too, the next flight renews them.
local function take(flight, record, from)
  flight.again = record.left == 0
  return share(flight.key, record, record.left, from)
end

-- Waits for the store's lock. Gives a client that needs the refresh then; nil: none does any more. One that is not to be had
-- is done without: who had it longer than its lease has died.
local function lock(flight)
  local started, client = waits.now(), holder_of(flight)
  while client and client._kept do
    local unlock, busy = stored_session.lock(client._kept, LEASE)
    flight.unlock = unlock
    if not busy or waits.now() - started >= LEASE then return client end
    waits.sleep(stored_session.PAUSE, flight.sender)
    client = holder_of(flight) -- the login may be another one by now
  end
  return client
end

local function refresh(flight, run)
  local client, own = lock(flight), nil
  if not client then return true end
  if client._kept then
    local record = stored_session.newer(client)
    if record then return take(flight, record, client._kept) end
    own = { total = math.min(client._limits.total, HELD) }
  end
  local tokens, message, err = run(flight.sender, "refresh_token", {}, own)
  if tokens then return share(flight.key, tokens, jwt.life(tokens.access_token, os.time())) end
  if not REFUSED[err.kind] then return nil, message, err end
  client = holder_of(flight)
  local record = client and client._kept and stored_session.newer(client, true)
  if record then return take(flight, record, client._kept) end
  return over(flight.key, err)
end

local function land(flight, ok, message, err)
  if flights[flight.key] == flight then flights[flight.key] = nil end
  if flight.unlock then pcall(flight.unlock) end
  flight.sender._secrets:wipe()
  flight.done, flight.ok, flight.message, flight.err = true, ok, message, err
  for slot in pairs(flight.waiters) do waits.wake(slot) end
end

local function crash(flight, trouble)
  land(flight, errors.fail({ kind = "protocol", outcome = "unknown", operation = "refresh_token", message = trouble }))
end

-- What a refresh sends, and what its failure must not show. "header" or "body": what the slot is for.
local COPIED = {
  access_token = "header", refresh_token = "body", developer_key = "header", project_key = "header",
  operator_key = "header", proxy_login = "header", proxy_password = "body",
}

-- Sends the refresh in place of the client that asked first: with its settings, and a copy of its slots. So neither the end
-- of that client nor its next login touches a refresh that others wait for.
local function new_sender(client)
  local sender = setmetatable({ _closed = false, _prepared = {}, _secrets = core.secrets() }, { __index = client })
  sender._client = sender
  local names = {}
  for name in pairs(COPIED) do names[#names + 1] = name end
  for _, line in ipairs(client._lines) do names[#names + 1] = line:match("{(.-)}") end
  for name, value in pairs(values_of(client._secrets, unpack(names))) do
    local shown = client._secrets:mask(value) == value and "shown"
    sender._secrets:set(name, value, shown or COPIED[name] or "header")
  end
  return sender
end

-- The refresh runs apart from who asked first: others wait for it, and a host may end that one's coroutine unasked.
local function start_flight(key, client, run)
  local flight = {
    key = key, client = client, sender = new_sender(client), waiters = {}, done = false, again = false,
  }
  flights[key] = flight
  local started, why = waits.detach(function()
    land(flight, refresh(flight, run))
  end, function(trouble)
    crash(flight, trouble)
  end)
  if not started then crash(flight, why) end
  return flight
end

local function out_of_time()
  return errors.fail({
    kind = "timeout", outcome = "unknown", transient = true, operation = "refresh_token",
    what = "renewing the tokens took longer than the call may", advice = "give more time with timeout",
    hint = "timeout",
  })
end

-- The refresh goes on for the others.
local function cancelled()
  return errors.refuse("cancelled", "the task was cancelled while it waited for new tokens", "refresh_token")
end

-- There are no tokens here, and the store that may have some can't be read.
local function unreadable(client)
  return errors.fail({
    kind = "file", outcome = "not_sent", operation = "refresh_token",
    what = "the store can't be read: " .. client._secrets:mask(client._kept.trouble),
    advice = "make it readable, or log in with client:login", hint = "readable_store",
  })
end

--- Renews the tokens; whoever asks while that is under way waits for the same.
---@param client devkit4ai.Client
---@param run function call.run
---@param seconds number? how long this one waits; the refresh goes on for the others
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.renew(client, run, seconds)
  if client._closed then errors.raise("client:refresh_token: the client is closed") end
  if client._session == LOST then
    if continue(client) then
      if client._session.ends > waits.now() then return true end
    elseif client._kept.trouble then return unreadable(client) end
  end
  if waits.is_refused() then return cancelled() end
  local before, deadline = client._session, waits.now() + (seconds or math.huge)
  for _ = 1, ROUNDS do
    local key = shared_tokens.key(client)
    if not key then return run(client, "refresh_token", {}) end -- which says what is missing
    local flight = flights[key] or start_flight(key, client, run)
    if not flight.done then
      local slot = {}
      flight.waiters[slot] = client
      if not waits.wait_for(slot, deadline - waits.now()) then return cancelled() end
    end
    if client._closed then return closed_meanwhile("refresh_token") end
    if not flight.done then return out_of_time() end
    local anew = client._session ~= before and client._secrets:has("access_token") -- a login came first
    local left_alone = flight.sender._closed and not flight.ok and not anew
    if not flight.again and not left_alone then
      return flight.ok or anew or nil, flight.message, flight.err
    end
  end
  return errors.fail({
    kind = "protocol", outcome = "refused", operation = "refresh_token",
    message = "the store gives other tokens each time, and all of them have ended",
  })
end

--- Sees to it that the access token is good, for a call that needs one, when the session's time `due` has come.
---@param client devkit4ai.Client
---@param run function call.run
---@param seconds number? how long the call may wait for it
---@return boolean? ready
---@return string? message
---@return devkit4ai.Error? err
function M.make_ready(client, run, seconds)
  if client._session == LOST and not continue(client) then
    if client._kept.trouble then return unreadable(client) end
    return true -- the call says what is missing
  end
  local ends = client._session.ends
  if client._session.due > waits.now() then return true end
  local done, message, err = M.renew(client, run, seconds)
  if done then return true end
  local refused = err.kind == "auth" or err.kind == "cancelled"
  local now = waits.now()
  if not refused and now < ends then -- the old one serves a while, and not each call tries again
    client._session.due = math.min(now + AGAIN, ends)
    return true
  end
  return nil, message, err
end

--- After a client was closed: its calls wait for no refresh any more, and a refresh that no other client needs is cancelled.
function M.end_closed()
  for _, flight in pairs(flights) do
    if not holder_of(flight) then flight.sender._closed = true end
    for slot, client in pairs(flight.waiters) do
      if client._closed then waits.wake(slot) end
    end
  end
end

--- The account of the client's tokens.
---@param client devkit4ai.Client
---@return string? account nil: there are no tokens, or they can't be read
function M.account(client)
  local known = client._kept and client._kept.account
  return known or jwt.account(values_of(client._secrets, "access_token").access_token or "")
end

--- The tokens, in the open.
---@param client devkit4ai.Client
---@return { access_token: string?, refresh_token: string? }? tokens
---@return string? message
---@return devkit4ai.Error? err
function M.tokens(client)
  if client._closed then errors.raise("client:tokens: the client is closed") end
  if client._session == LOST and not continue(client) and client._kept.trouble then return unreadable(client) end
  local tokens = values_of(client._secrets, "access_token", "refresh_token")
  if next(tokens) then return tokens end
  return errors.refuse("config", "client:tokens: there are no tokens: call client:login first")
end

--- Forgets the tokens, also in the store. A refresh that is under way brings none back.
---@param client devkit4ai.Client
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `file`: they are forgotten here, but the store would not be emptied
function M.logout(client)
  if client._closed then errors.raise("client:logout: the client is closed") end
  forget(client)
  client._session = NEVER
  local done, why = true, nil
  if client._kept then done, why = stored_session.forget(client) end
  if done then return true end
  why = client._secrets:mask(why)
  return errors.fail({
    kind = "file", outcome = "not_sent", operation = "logout",
    call_name = "client:logout", what = "the tokens are forgotten here, but the store could not be emptied: " .. why,
  })
end

return M
