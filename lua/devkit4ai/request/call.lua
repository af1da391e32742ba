--- Calls of the API's operations: build, authorize, exchange, classify, retry.
local build = require "devkit4ai.request.build"
local errors = require "devkit4ai.util.errors"
local refresh = require "devkit4ai.auth.refresh"
local runtime = require "devkit4ai.loop.runtime"
local send = require "devkit4ai.request.send"
local session = require "devkit4ai.auth.session"

local M = {}

local huge, now = math.huge, runtime.now

-- Refreshes the tokens before the request is sent, if they are about to expire.
local function authorize(call)
  local refresh_at = call.plan.needs_token and call.client._session.refresh_at or huge
  if refresh_at == huge or now() < refresh_at then return nil end
  local ready, _, err = refresh.ensure_valid(call.client, send.time_left(call))
  if not ready then return { err = select(3, errors.on_the_way(err, "not_sent")) } end
  return send.limit_time(call, "not_sent")
end

-- Refreshes the tokens after a 401, unless the client got new ones while the call was in progress. true: the call is sent
-- again, because the server did nothing; false: the failure, or the failure of the refresh, is final.
local function reauthorize(call, failure)
  local client, refreshes = call.client, call.refreshes or 0
  if failure.kind ~= "auth" or failure.raised or not call.plan.needs_token then return false, failure end
  if not session.can_refresh_after_401(client, call.session, refreshes) then return false, failure end
  call.refreshes = refreshes + 1
  if client._session == call.session then
    local done, _, err = refresh.refresh(client, send.time_left(call))
    if not done then return false, { err = select(3, errors.on_the_way(err, "refused")) } end
  end
  failure = send.limit_time(call, call.maybe_done and "unknown" or failure.outcome)
  return not failure, failure
end

-- The attempts of a call, with valid tokens.
local function attempts(call)
  local failure = authorize(call)
  if failure then return nil, failure end
  local answer, head, again
  repeat
    answer, failure, head = send.attempts(call)
    again = false
    if failure then again, failure = reauthorize(call, failure) end
  until not again
  return answer, failure, head
end

--- Makes a call.
---@param scope devkit4ai.Scope
---@param name string of the operation
---@param args table? path parameters, query, fields of the body, secrets among them
---@param options devkit4ai.CallOptions?
---@param on_upload fun(sent: integer, total: integer)? called while the body is sent
---@param row table? the caller's own, with the columns of `operations`; default: the operation's
---@return any? answer in its normal form
---@return string? message
---@return devkit4ai.Error? err
---@return string? head the response's header block, if the row asks for it
function M.run(scope, name, args, options, on_upload, row)
  local call, message, err = build.call(scope, name, args, options, row)
  if not call then return runtime.refused(nil, message, err) end
  call.on_upload = on_upload
  return send.run(call, attempts)
end

return M
