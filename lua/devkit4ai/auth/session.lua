--- The session of a client: its tokens, when they expire, and their record in the user's store.
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local jwt = require "devkit4ai.auth.jwt"
local NO_REFRESH = require "devkit4ai.auth.no_refresh"
local waits = require "devkit4ai.loop.waits"
local shared_tokens = require "devkit4ai.auth.shared_tokens"

local M = {}

local huge = math.huge

local AHEAD = 300 -- seconds before the access token expires, when it is refreshed (the guide's token strategy)
local RETRY_401 = 300 -- seconds until a 401 refreshes again, if it refused a new token: a bad key is the cause (wire.md D51)
local MAX_REFRESHES = 2 -- of one call: the first may bring tokens from the store

---@class devkit4ai.Session the state of a client's tokens; another table each time that they change. This module makes it; without a refresh token it is auth/no_refresh.
---@field refresh_at number of waits.now(): a call from then on refreshes the tokens first; math.huge: it can't
---@field expires_at number of waits.now(): the end of the access token; math.huge: not known
---@field from_store boolean? the tokens are from the store
---@field check_store boolean? there are no tokens; the next call looks for tokens in the store
---@field refused_at number? of waits.now(): the server refused the access token although it was new

-- The next call looks in the store at once.
local function missing_tokens()
  return { refresh_at = 0, expires_at = 0, check_store = true }
end

local function has_refresh_token(client)
  return client._secrets:has("refresh_token")
end

-- life: seconds that the access token is valid
local function new_session(client, life, source)
  if not has_refresh_token(client) then return NO_REFRESH end
  local now = waits.now()
  return {
    expires_at = now + life, refresh_at = now + math.max(life - AHEAD, life / 2), from_store = source == "store",
  }
end

--- Whether a refresh may help after a 401: there is a refresh token, and no new token was refused a moment ago.
---@param client devkit4ai.Client
---@return boolean
function M.can_refresh(client)
  local refused_at = client._session.refused_at
  return has_refresh_token(client) and not (refused_at and waits.now() - refused_at < RETRY_401)
end

--- Whether a call refreshes the tokens after a 401: once, and once more if the first new tokens were the store's.
---@param client devkit4ai.Client
---@param used devkit4ai.Session client._session when the request was sent
---@param refreshes integer that this call had
---@return boolean
function M.can_refresh_after_401(client, used, refreshes)
  if refreshes > 0 and not used.from_store then
    if used.refresh_at < huge then used.refused_at = waits.now() end -- a new token is not the cause
    return false
  end
  return refreshes < MAX_REFRESHES and M.can_refresh(client)
end

--- The plain values of secrets, without the empty ones.
---@param secrets userdata
---@param ... string names of slots
---@return table<string, string>
function M.values(secrets, ...)
  return json.decode_plain(secrets:json("{}", ...))
end

-- A response to an earlier request may repeat the tokens of that request, so the previous tokens stay masked.
local function keep_masked(secrets)
  for slot, old in pairs(M.values(secrets, "access_token", "refresh_token")) do
    secrets:set("former " .. slot, old, "body")
  end
end

--- Gives a client tokens. Without a new refresh token the old one stays (wire.md 2.3), except after another login.
---@param client devkit4ai.Client
---@param tokens { access_token: string, refresh_token: string? }
---@param life number seconds that the access token is valid
---@param source "login"|"refresh"|"store"
---@return boolean? done
---@return string? why the access token can't be used
function M.set_tokens(client, tokens, life, source)
  local secrets = client._secrets
  keep_masked(secrets)
  local set, _, why = secrets:set("access_token", tokens.access_token)
  if not set then return nil, why end
  shared_tokens.leave(client)
  if tokens.refresh_token or source == "login" then
    secrets:set("refresh_token", tokens.refresh_token or "", "body")
  end
  shared_tokens.join(client)
  client._session = new_session(client, life, source)
  return true
end

--- Takes the tokens from a client.
---@param client devkit4ai.Client
---@param check_store boolean? its next call looks for others in the store
function M.clear_tokens(client, check_store)
  shared_tokens.leave(client)
  keep_masked(client._secrets)
  client._secrets:set("access_token", "") -- an empty slot hides the parent's, and a cleared slot does not
  client._secrets:set("refresh_token", "", "body")
  client._session = check_store and missing_tokens() or NO_REFRESH
end

-- Continues the account's session from the store; for a client without an account, the session of the last login.
local function continue_stored(client)
  local stored = client._stored_session
  local account = stored.account
  stored.account = account or (stored.resumes and stored:last_account()) or nil
  local record = stored:newer(client)
  if record and M.set_tokens(client, record, record.left, "store") then return true end
  stored.account = account
  return false
end

--- Looks for tokens in the store, if the client has none and the store may have some.
---@param client devkit4ai.Client
---@return boolean? done nil: the store can't be read
---@return string? message
---@return devkit4ai.Error? err
function M.load_missing(client)
  if not client._session.check_store or continue_stored(client) then return true end
  local trouble = client._stored_session.trouble
  if not trouble then return true end
  return errors.fail({
    kind = "file", outcome = "not_sent", operation = "refresh_token",
    what = "the store can't be read: " .. client._secrets:mask(trouble),
    advice = "make it readable, or log in with client:login", hint = "readable_store",
  })
end

local function expires_later(a, b)
  local expires_a, expires_b = a and jwt.expires(a), b and jwt.expires(b)
  return expires_a and expires_b and expires_a > expires_b
end

-- The tokens of the options may be older than the store's.
local function take_newer_stored(client, access_token, refresh_token)
  local stored = client._stored_session
  stored.account = jwt.account(access_token or "") or jwt.account(refresh_token or "")
  local record = stored:newer(client)
  if not record then return end
  if expires_later(record.refresh_token, refresh_token) or expires_later(record.access_token, access_token) then
    M.set_tokens(client, record, record.left, "store")
  end
end

--- Starts the session of a new client with the tokens of its options. With a refresh token alone, its first call refreshes.
---@param client devkit4ai.Client
---@param access_token string?
---@param refresh_token string?
function M.start(client, access_token, refresh_token)
  client._session = NO_REFRESH
  if client._store then -- loaded for the first store: without it, a new client takes 5 % fewer instructions
    client._stored_session = require("devkit4ai.auth.stored_session").new(client, client._store)
  end
  if not access_token and not has_refresh_token(client) then return end
  shared_tokens.join(client)
  client._session = new_session(client, access_token and jwt.life(access_token, os.time()) or 0)
  if client._stored_session then take_newer_stored(client, access_token, refresh_token) end
end

--- Whether the client's store can keep a session.
---@param client devkit4ai.Client
---@param call_name string the call, as the user knows it
---@param operation string?
---@return boolean? fine
---@return string? message
---@return devkit4ai.Error? err kind `file`
function M.check_store(client, call_name, operation)
  if client._closed or not client._stored_session then return true end
  local fine, why = client._stored_session:check()
  if fine then return true end
  local message = ("%s: the store can't keep a session: %s. Nothing was sent. Make the store writable, or leave out "
    .. "the option store"):format(call_name, client._secrets:mask(why))
  return errors.refuse("file", message, operation)
end

--- Continues the last login that the store knows, for a client without tokens. Not for one end user of many: the last
--- login may be another user's.
---@param client devkit4ai.Client
function M.resume(client)
  local stored = client._stored_session
  if not stored or client._secrets:has("access_token") or has_refresh_token(client) then return end
  stored.resumes = true
  if not continue_stored(client) then client._session = missing_tokens() end
end

--- The failure of a call whose client was closed while it waited.
---@param operation string
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.closed(operation)
  return errors.fail({
    kind = "cancelled", outcome = "unknown", operation = operation,
    message = "the client was closed before the new tokens came",
  })
end

--- The failure of a login or a refresh whose access token no header can hold.
---@param operation string
---@param why string
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.unusable_token(operation, why)
  return errors.fail({ kind = "protocol", outcome = "unknown", operation = operation,
    message = "the server's access token can't be used: " .. why })
end

--- Takes the tokens of a login.
---@param client devkit4ai.Client
---@param tokens { access_token: string, refresh_token: string? }
---@param operation string
---@param email string? the account, if the token does not name it
---@param seconds number? time limit for a busy store
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.accept(client, tokens, operation, email, seconds)
  if client._closed then return M.closed(operation) end -- its secrets are wiped, and stay wiped
  local life = jwt.life(tokens.access_token, os.time())
  local set, why = M.set_tokens(client, tokens, life, "login")
  if not set then return M.unusable_token(operation, why) end
  local stored = client._stored_session
  if stored then
    stored.account, stored.seen = jwt.account(tokens.access_token) or (email and email:lower()), nil
    if stored:write(client, life, seconds) then stored:write_last_account(client, seconds) end
  end
  return true
end

--- The account of the client's tokens.
---@param client devkit4ai.Client
---@return string? account nil: there are no tokens, or they can't be read
function M.account(client)
  local stored = client._stored_session and client._stored_session.account
  if stored then return stored end
  local known, tag = client._token_account, client._secrets:tag "access_token"
  if not known or known.tag ~= tag then -- of another token: an end user's record inherits its developer's
    known = { tag = tag, account = jwt.account(M.values(client._secrets, "access_token").access_token or "") }
    client._token_account = known
  end
  return known.account
end

--- The plain tokens.
---@param client devkit4ai.Client
---@return { access_token: string?, refresh_token: string? }? tokens
---@return string? message
---@return devkit4ai.Error? err
function M.tokens(client)
  if client._closed then errors.raise("client:tokens: the client is closed") end
  local loaded, message, err = M.load_missing(client)
  if not loaded then return nil, message, err end
  local tokens = M.values(client._secrets, "access_token", "refresh_token")
  if next(tokens) then return tokens end
  return errors.refuse("config", "client:tokens: there are no tokens: call client:login first")
end

--- Forgets the tokens, also in the store. A refresh in progress does not bring new ones.
---@param client devkit4ai.Client
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `file`: the client has forgotten them, and the store has not
function M.logout(client)
  if client._closed then errors.raise("client:logout: the client is closed") end
  M.clear_tokens(client)
  local done, why = true, nil
  if client._stored_session then done, why = client._stored_session:clear(client) end
  if done then return true end
  why = client._secrets:mask(why)
  return errors.fail({
    kind = "file", outcome = "not_sent", operation = "logout",
    call_name = "client:logout", what = "the tokens are forgotten here, but the store could not be emptied: " .. why,
  })
end

return M
