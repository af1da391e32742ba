--- Calls of the API's operations: build, authorize, exchange, classify, retry.
local build = require "devkit4ai.request.build"
local errors = require "devkit4ai.util.errors"
local lazy = require "devkit4ai.util.lazy"
local failures = lazy.module "devkit4ai.request.failures"
local next_attempt = lazy.module "devkit4ai.request.retry.next_attempt"
local refresh = lazy.module "devkit4ai.auth.refresh"
local waits = require "devkit4ai.loop.waits"
local send = require "devkit4ai.request.send"
local session = lazy.module "devkit4ai.auth.session"

local M = {}

local build_call, attempts, finish, check_call = build.call, send.attempts, send.finish, waits.check_call -- of each call

-- Refreshes the tokens before the request is sent. Returns the failure of that.
local function authorize(call)
  local ready, _, err = refresh.ensure_valid(call.client, next_attempt.time_left(call))
  if not ready then return { err = select(3, errors.from_refresh(err, "not_sent")) } end
  return next_attempt.limit_time(call, "not_sent")
end

-- Refreshes the tokens after a 401, unless the client got new ones while the call was in progress. The call is then sent
-- again, because the server did nothing.
local function reauthorize(call, failure, used)
  local client, refreshes = call.client, call.refreshes or 0
  if failure.kind ~= "auth" or not call.plan.needs_token then return false, failure end
  if not session.can_refresh_after_401(client, used, refreshes) then return false, failure end
  call.refreshes = refreshes + 1
  if client._session ~= used then return true, failure end
  local done, _, err = refresh.refresh(client, next_attempt.time_left(call))
  if done then return true, failure end
  return nil, { err = select(3, errors.from_refresh(err, "refused")) }
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
  local call, message, err = build_call(scope, name, args, options, row)
  if not call then return waits.after_refusal(nil, message, err) end
  local can_wait, why = check_call()
  if not can_wait then return finish(call, nil, failures.cannot_wait(why)) end
  if on_upload then call.on_upload = on_upload end
  local plan = call.plan
  if plan.needs_token and call.started >= call.client._session.refresh_at then
    local failure = authorize(call)
    if failure then return finish(call, nil, failure) end
  end
  if plan.row.retry_class == "safe" then return finish(call, attempts(call, reauthorize)) end
  return send.change(call, reauthorize)
end

return M
