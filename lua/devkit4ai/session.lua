--- The session: which tokens are in use, when they end, and one refresh for all who wait for it.
local errors = require "devkit4ai.errors"
local runtime = require "devkit4ai.runtime"
local token = require "devkit4ai.token"

local M = {}

local AHEAD = 300 -- seconds before the end at which the token is renewed (the guide's token strategy)

local AGAIN = 30 -- seconds until the next try, after one that was not refused

-- `due`: when to renew; never, where nobody can
local NEVER = { due = math.huge, ends = math.huge }

--- Whether there is a refresh token.
function M.can_renew(client)
  return client._secrets:has("refresh_token")
end

local function count_from_now(client, access_token)
  local life = token.life(access_token, os.time())
  local now = runtime.now()
  client._session = M.can_renew(client) and { ends = now + life, due = now + math.max(life - AHEAD, life / 2) } or NEVER
end

--- Starts the session of a new client: with the access token it was given, or by its refresh token at the first call.
---@param client devkit4ai.Client
---@param access_token string?
function M.start(client, access_token)
  client._session = NEVER
  if access_token then
    count_from_now(client, access_token)
  elseif M.can_renew(client) then
    client._session = { ends = 0, due = 0 }
  end
end

local function closed_meanwhile(operation)
  return errors.give({
    kind = "cancelled", outcome = "unknown", operation = operation, message = "the client was closed meanwhile",
  })
end

--- Takes tokens that the server gave. Without a refresh token the old one stays (CONTRACT 2.3).
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.accept(client, tokens, operation)
  if client._closed then return closed_meanwhile(operation) end -- its secrets are wiped, and stay so
  local set, _, why = client._secrets:set("access_token", tokens.access_token)
  if not set then
    return errors.give({ kind = "protocol", outcome = "unknown", operation = operation,
      message = "the server's access token can't be used: " .. why })
  end
  if tokens.refresh_token then client._secrets:set("refresh_token", tokens.refresh_token, "body") end
  count_from_now(client, tokens.access_token)
  return true
end

local REFUSED = { auth = true, forbidden = true, invalid = true }

local function over(client)
  client._secrets:clear("access_token")
  client._secrets:clear("refresh_token")
  client._session = NEVER
  return errors.give({
    kind = "auth", outcome = "refused", operation = "refresh_token",
    message = "the session is over: the server refused the refresh token; log in again with client:login",
  })
end

local function refresh(client, run)
  local before = client._session
  local tokens, message, err = run(client, "refresh_token", {})
  if client._session ~= before then return true end -- a login came first, and what it brought is newer
  if tokens then return M.accept(client, tokens, "refresh_token") end
  if REFUSED[err.kind] then return over(client) end
  return nil, message, err
end

-- The refresh runs apart from who asked first: others wait for it, and a host may end that one's coroutine unasked.
local function start_flight(client, run)
  local flight = { waiters = {} }
  local function land(done, message, err)
    flight.done, flight.ok, flight.message, flight.err = true, done, message, err
    client._flight = false
    for _, slot in ipairs(flight.waiters) do runtime.wake(slot) end
  end
  client._flight = flight
  runtime.detach(function()
    land(refresh(client, run))
  end, function(trouble)
    land(errors.give({ kind = "protocol", outcome = "unknown", operation = "refresh_token", message = trouble }))
  end)
  return flight
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
  local flight = client._flight or start_flight(client, run)
  if not flight.done then
    local slot = {}
    flight.waiters[#flight.waiters + 1] = slot
    runtime.wait_for(slot, seconds)
  end
  if client._closed then return closed_meanwhile("refresh_token") end
  if not flight.done then
    return errors.give({
      kind = "timeout", outcome = "not_sent", transient = true, operation = "refresh_token",
      message = "renewing the tokens took longer than the call may; give more time with timeout",
    })
  end
  return flight.ok, flight.message, flight.err
end

--- Sees to it that the access token is good, for a call that needs one, when the session's time `due` has come.
---@param client devkit4ai.Client
---@param run function call.run
---@param seconds number? how long the call may wait for it
---@return boolean? ready
---@return string? message
---@return devkit4ai.Error? err
function M.make_ready(client, run, seconds)
  local ends = client._session.ends
  local done, message, err = M.renew(client, run, seconds)
  if done then return true end
  local refused = err.kind == "auth" or err.kind == "cancelled"
  local now = runtime.now()
  if not refused and now < ends then -- the old one serves a while, and not each call tries again
    client._session.due = math.min(now + AGAIN, ends)
    return true
  end
  return nil, message, err
end

return M
