--- The request pace of an account: shared by all clients of this Lua state that wait for its generations.
local core = require "devkit4ai.core"
local locale = require "devkit4ai.util.locale"
local operations = require "devkit4ai.api.operations"
local request_pacing = require "devkit4ai.generation.pacing.request_pacing"
local waits = require "devkit4ai.loop.waits"
local server_clock = require "devkit4ai.request.time.server_clock"
local session = require "devkit4ai.auth.session"

local M = {}

local paces = setmetatable({}, { __mode = "v" }) -- by address and account

-- The secret that stands for an account whose tokens can't be read.
local ACCOUNT_SLOTS = { developer = "developer_key", end_user = "access_token", platform_operator = "operator_key" }

-- The account whose rate limit counts a status request. The server counts one without a login by its IP address.
local function account_of(client, operation)
  local role = client._role
  if operations.get(operation).profile[role] == "none" then return "" end
  return ("%s %s"):format(role, session.account(client) or client._secrets:tag(ACCOUNT_SLOTS[role]) or "")
end

--- The pace of a client's status requests. The client holds it, so that a 429 still counts after the wait that received it.
---@param client devkit4ai.Client
---@param operation string of the status requests
---@return devkit4ai.RequestPace
function M.of(client, operation)
  local key = client.base_url .. " " .. account_of(client, operation)
  local pace, held = paces[key] or request_pacing.new(), rawget(client, "_paces") or {}
  paces[key], client._paces, held[operation] = pace, held, pace
  return pace
end

--- Sleeps until the pace allows the next request, or until the deadline: one request is always made then.
---@param client devkit4ai.Client
---@param pace devkit4ai.RequestPace
---@param deadline number of waits.now()
---@return boolean over false: a cancellation or a closed client ended the sleep
function M.sleep(client, pace, deadline)
  local now = waits.now()
  repeat
    local at = math.min(request_pacing.reserve(pace, now), deadline)
    if at > now and not waits.sleep(at - now, client) then return false end
    now = waits.now()
  until now >= pace.blocked_until or now >= deadline
  return true
end

local function number_in(head, name)
  return locale.number((core.header(head, name)))
end

--- Adjusts the pace to a response.
---@param pace devkit4ai.RequestPace
---@param head string? the header block
---@param err devkit4ai.Error?
function M.adjust(pace, head, err)
  local signal = {}
  if err and err.kind == "rate_limited" then signal.retry_after = err.retry_after end
  if head then
    local reset = number_in(head, "X-RateLimit-Reset")
    signal.limit, signal.remaining = number_in(head, "X-RateLimit-Limit"), number_in(head, "X-RateLimit-Remaining")
    signal.reset = reset and reset - server_clock.of(head, os.time())
  end
  if head or signal.retry_after then request_pacing.adjust(pace, waits.now(), signal) end
end

return M
