--- Token refresh: one request for all callers that wait for it. They may be calls of one client, clients that share a
--- refresh token, and (by the store's lock) other programs.
local build = require "devkit4ai.request.build"
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local jwt = require "devkit4ai.auth.jwt"
local waits = require "devkit4ai.loop.waits"
local send = require "devkit4ai.request.send"
local session = require "devkit4ai.auth.session"
local shared_tokens = require "devkit4ai.auth.shared_tokens"

local M = {}

local unpack = table.unpack or unpack -- luacheck: ignore 113
local huge = math.huge

local AGAIN = 30 -- seconds until the next refresh, after one that failed without a refusal
local LEASE = 60 -- seconds of the store's lock; no caller waits longer for it
local LOCKED_TOTAL = 50 -- seconds for a refresh under the lock: less than the lease
local MAX_REFRESHES = 5 -- that one caller waits for, if each brings tokens that have expired

---@class devkit4ai.Refresh a refresh in progress
---@field key string of the refresh token (shared_tokens.key)
---@field client devkit4ai.Client the first that asked
---@field sender devkit4ai.Client sends the request
---@field waiters table<table, devkit4ai.Client> the callers that wait, by their slots for waits.wait_for
---@field unlock function? releases the store's lock
---@field done boolean
---@field expired boolean it brought tokens of the store, and they have expired as well
---@field ok boolean? its three results
---@field message string?
---@field err devkit4ai.Error?

local in_progress = setmetatable({}, { __mode = "v" }) -- shared_tokens.key -> devkit4ai.Refresh

-- ---- new tokens, or none ----

-- Gives new tokens to all clients that have the old ones, and to their stores except the one that they come from.
local function share(key, tokens, life, from)
  local written = {} -- store -> the record's key
  if from then written[from.store] = from:key() end
  local clients = shared_tokens.clients(key)
  for _, client in ipairs(clients) do
    local set, why = session.set_tokens(client, tokens, life, from and "store" or "refresh")
    if not set then return session.unusable_token("refresh_token", why) end
  end
  for _, client in ipairs(clients) do
    local stored = client._stored_session
    if stored then
      stored.account = stored.account or jwt.account(tokens.access_token)
      local record_key = stored:key()
      if stored.account and written[stored.store] == record_key then stored:mark_seen(client)
      else stored:write(client, life) end
      written[stored.store] = record_key
    end
  end
  return true
end

-- The server refused the refresh token: no client has a session any more.
local function end_sessions(key, err)
  local fingerprints = {}
  for _, client in ipairs(shared_tokens.clients(key)) do
    fingerprints[client] = client._stored_session and client._stored_session:fingerprint(client)
    session.clear_tokens(client, client._stored_session ~= nil)
  end
  for client, fingerprint in pairs(fingerprints) do
    if fingerprint then client._stored_session:remove(client, fingerprint) end
  end
  return errors.fail({
    kind = "auth", outcome = "refused", operation = "refresh_token", status = err.status, attempts = err.attempts,
    what = "the session is over: the server refused the refresh token", advice = "log in again with client:login",
    hint = "log_in",
  })
end

-- Shares the store's tokens. If they have expired as well, the callers refresh them next.
local function share_stored(refresh, record, from)
  refresh.expired = record.left == 0
  return share(refresh.key, record, record.left, from)
end

-- ---- the refresh itself ----

-- A client that still needs the refresh: the first that asked, else another one. nil: each was closed, logged out or
-- logged in again.
local function waiting_client(refresh)
  local clients = shared_tokens.clients(refresh.key)
  for _, client in ipairs(clients) do
    if client == refresh.client then return client end
  end
  return clients[1]
end

-- Waits for the store's lock, for a lease at most: whoever holds it longer has died. Returns the client to refresh for.
local function lock_store(refresh)
  local started, client = waits.now(), waiting_client(refresh)
  while client and client._stored_session do
    local unlock, is_busy = client._stored_session:lock(LEASE)
    refresh.unlock = unlock
    if not is_busy or waits.now() - started >= LEASE then return client end
    waits.sleep(client._stored_session.PAUSE, refresh.sender)
    client = waiting_client(refresh) -- it may be another one after the wait
  end
  return client
end

local function request_tokens(client, options)
  local call, message, err = build.call(client, "refresh_token", {}, options)
  if not call then return waits.after_refusal(nil, message, err) end
  return send.change(call)
end

local REFUSED = { auth = true, forbidden = true, invalid = true } -- kinds of a final refusal

local function run(refresh)
  local client, options = lock_store(refresh), nil
  if not client then return true end
  if client._stored_session then
    local record = client._stored_session:newer(client)
    if record then return share_stored(refresh, record, client._stored_session) end
    options = { total = math.min(client._limits.total, LOCKED_TOTAL) }
  end
  local tokens, message, err = request_tokens(refresh.sender, options)
  if tokens then return share(refresh.key, tokens, jwt.life(tokens.access_token, os.time())) end
  if not REFUSED[err.kind] then return nil, message, err end
  client = waiting_client(refresh)
  local record = client and client._stored_session and client._stored_session:newer(client, true)
  if record then return share_stored(refresh, record, client._stored_session) end
  return end_sessions(refresh.key, err)
end

local function finish(refresh, ok, message, err)
  if in_progress[refresh.key] == refresh then in_progress[refresh.key] = nil end
  if refresh.unlock then pcall(refresh.unlock) end
  refresh.sender._secrets:wipe()
  refresh.done, refresh.ok, refresh.message, refresh.err = true, ok, message, err
  for slot in pairs(refresh.waiters) do waits.wake(slot) end
end

-- An error ended the refresh, or it could not start.
local function abort(refresh, why)
  finish(refresh, errors.fail({ kind = "protocol", outcome = "unknown", operation = "refresh_token", message = why }))
end

-- Slots that the request fills in, or that its failure must not show, and what each is for.
local COPIED = {
  access_token = "header", refresh_token = "body", developer_key = "header", project_key = "header",
  operator_key = "header", proxy_login = "header", proxy_password = "body",
}

-- The client that sends the refresh: it has the settings of the first one that asked and a copy of its secrets. So
-- neither the end nor the next login of that client changes a refresh that others wait for.
local function new_sender(client)
  local sender = setmetatable({ _closed = false, _plans = {}, _secrets = core.secrets() }, { __index = client })
  sender._client = sender
  local names = {}
  for name in pairs(COPIED) do names[#names + 1] = name end
  for _, line in ipairs(client._header_lines) do names[#names + 1] = line:match("{(.-)}") end
  for name, value in pairs(session.values(client._secrets, unpack(names))) do
    local shown = client._secrets:mask(value) == value and "shown"
    sender._secrets:set(name, value, shown or COPIED[name] or "header")
  end
  return sender
end

-- The refresh runs detached from the caller: others wait for it, and a host may end the caller's coroutine.
local function start(key, client)
  local refresh = {
    key = key, client = client, sender = new_sender(client), waiters = {}, done = false, expired = false,
  }
  in_progress[key] = refresh
  local started, why = waits.detach(function()
    finish(refresh, run(refresh))
  end, function(trouble)
    abort(refresh, trouble)
  end)
  if not started then abort(refresh, why) end
  return refresh
end

-- ---- the callers ----

-- The refresh continues for the other callers.
local function cancelled()
  return errors.refuse("cancelled", "the task was cancelled while it waited for new tokens", "refresh_token")
end

local function timed_out(seconds)
  return errors.fail({
    kind = "timeout", outcome = "unknown", transient = true, operation = "refresh_token",
    what = ("the token refresh timed out after %.3g s"):format(seconds), advice = "pass a larger `timeout`",
    hint = "timeout",
  })
end

-- Waits for a refresh until the deadline. false: the caller's task was cancelled.
local function wait_for(refresh, client, deadline)
  if refresh.done then return true end
  local slot = {}
  refresh.waiters[slot] = client
  return waits.wait_for(slot, deadline - waits.now())
end

--- Refreshes the tokens. A caller that comes while a refresh is in progress waits for that one.
---@param client devkit4ai.Client
---@param seconds number? how long this caller waits; the refresh continues for the others
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.refresh(client, seconds)
  if client._closed then errors.raise("client:refresh_token: the client is closed") end
  if client._session.check_store then
    local loaded, message, err = session.load_missing(client)
    if not loaded then return nil, message, err end
    if client._session.expires_at > waits.now() then return true end
  end
  if waits.is_refused() then return cancelled() end
  local before, deadline = client._session, waits.now() + (seconds or huge)
  for _ = 1, MAX_REFRESHES do
    local key = shared_tokens.key(client)
    if not key then return request_tokens(client) end -- its error names the missing token
    local refresh = in_progress[key] or start(key, client)
    if not wait_for(refresh, client, deadline) then return cancelled() end
    if client._closed then return session.closed("refresh_token") end
    if not refresh.done then return timed_out(seconds) end
    local has_new = client._session ~= before and client._secrets:has("access_token") -- perhaps from a login
    local was_abandoned = refresh.sender._closed and not refresh.ok and not has_new
    if not refresh.expired and not was_abandoned then
      return refresh.ok or has_new or nil, refresh.message, refresh.err
    end
  end
  return errors.fail({
    kind = "protocol", outcome = "refused", operation = "refresh_token",
    message = "the store gives other tokens each time, and all of them have expired",
  })
end

--- Makes sure that the access token is valid, for a call that comes after the session's refresh_at.
---@param client devkit4ai.Client
---@param seconds number how long the call may wait
---@return boolean? ready
---@return string? message
---@return devkit4ai.Error? err
function M.ensure_valid(client, seconds)
  local loaded, message, err = session.load_missing(client)
  if not loaded then return nil, message, err end
  if client._session.check_store then return true end -- the error of the call names the missing token
  local expires_at = client._session.expires_at
  if client._session.refresh_at > waits.now() then return true end
  local done
  done, message, err = M.refresh(client, seconds)
  if done then return true end
  local now = waits.now()
  if err.kind == "auth" or err.kind == "cancelled" or now >= expires_at then return nil, message, err end
  client._session.refresh_at = math.min(now + AGAIN, expires_at) -- the old token is still valid
  return true
end

--- Ends the waits of closed clients' calls, and each refresh that no open client needs.
function M.end_closed()
  for _, refresh in pairs(in_progress) do
    if not waiting_client(refresh) then refresh.sender._closed = true end
    for slot, client in pairs(refresh.waiters) do
      if client._closed then waits.wake(slot) end
    end
  end
end

return M
