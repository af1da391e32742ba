--- The next attempt of a call after a failure: the time that is left, another name of the files' part, a redirect, a retry.
local core = require "devkit4ai.core"
local arguments = require "devkit4ai.request.build.arguments"
local errors = require "devkit4ai.util.errors"
local locale = require "devkit4ai.util.locale"
local retry = require "devkit4ai.request.retry"
local waits = require "devkit4ai.loop.waits"

local M = {}

local huge, random, now = math.huge, core.random, waits.now

-- ---- the time for the call ----

local function total_of(call)
  return call.options and call.options.total or call.plan.request.total
end

--- Seconds that are left for the call.
---@param call devkit4ai.Call
---@return number seconds math.huge: no limit
function M.time_left(call)
  local total = total_of(call)
  return total and total - (now() - call.started) or huge
end

--- Limits the next attempt to the time that is left for the call.
---@param call devkit4ai.Call
---@param outcome string of the call, if no time is left
---@return devkit4ai.Failure? failure no time is left
function M.limit_time(call, outcome)
  local left = M.time_left(call)
  if left > 0 then
    call.request = setmetatable({ total = left < huge and left or nil, compiled = false }, { __index = call.request })
    return nil
  end
  return { err = select(3, errors.fail({
    kind = "timeout", outcome = outcome, transient = true, operation = call.plan.name, attempts = call.attempts,
    call_name = arguments.call_name(call), what = ("timed out after %s s"):format(locale.format("%g", total_of(call))),
    advice = "pass a larger `timeout`", hint = "timeout",
  })) }
end

-- ---- the next attempt ----

-- Another name of the files' part that a 422 names as missing: the server refused the request, so nothing was done (D36).
local function missing_part(call, failure)
  local plan = call.plan
  local row = plan.row
  local form = failure.status == 422 and row.body and row.body.multipart
  for i, part in ipairs(form and form.file_fields or {}) do
    for _, field in ipairs(failure.fields or {}) do
      if i ~= (call.client._part_choice[plan.name] or 1) and field.loc == "body." .. part then return i end
    end
  end
end

-- Changes the name of the files' part, once a call, and for the client's later calls.
local function rename_part(call, failure)
  local part = not call.other_part and missing_part(call, failure)
  if not part then return false end
  call.other_part, call.client._part_choice[call.plan.name] = part, part
  arguments.rename_part(call, part)
  return true
end

-- Follows the redirect of an image's URL. The new URL must keep the same rules.
local function follow_redirect(call, failure)
  if not failure.location then return false end
  local location = failure.location:gsub(" ", "%%20")
  local url = core.resolve(call.request.url, location)
  local request = setmetatable({ compiled = false }, { __index = call.request })
  call.redirects = (call.redirects or 0) + 1
  local done, why
  if not url then
    why = "the image's URL redirects to an address that is not http or https"
  elseif call.redirects > call.plan.row.max_redirects then
    why = "the image's URL redirects too many times"
  else
    done, why = arguments.set_image_url(call, request, url)
  end
  if done then
    call.request = request
    return true
  end
  failure.transient, failure.what = false, why
  return false
end

-- Waits before a retry. false: the call is not retried, or the wait was cancelled.
local function wait_to_retry(call, failure)
  local client, options = call.client, call.options or {}
  local limits = {
    left = M.time_left(call), tries = options.tries or client._retry.attempts, budget = client._budget.tokens,
    max_wait = options.max_wait or client._retry.max_wait,
  }
  local seconds = retry.decide(call.plan.row, failure, limits, random)
  if not seconds then return false end
  local cost = retry.cost(failure)
  client._budget.tokens = limits.budget - cost
  call.retry_cost = (call.retry_cost or 0) + cost
  call.maybe_done = call.maybe_done or failure.outcome == "unknown" -- whatever the outcome of the next attempt is
  if client._trace then client._trace:retry(call, failure, seconds) end
  if waits.sleep(seconds, client) then return true end
  failure.kind, failure.advice = "cancelled", nil
  failure.what = "it was cancelled while it waited for a retry: " .. failure.what
  return false
end

-- Whether the call is sent again after a failure. It waits and changes the request for that.
local function can_retry(call, failure)
  return rename_part(call, failure) or follow_redirect(call, failure) or wait_to_retry(call, failure)
end

--- Prepares the next attempt after a failure.
---@param call devkit4ai.Call
---@param failure devkit4ai.Failure
---@param session devkit4ai.Session of the attempt that failed
---@param recover function? as for send.attempts
---@return boolean again
---@return devkit4ai.Failure? failure if there is no next attempt
function M.prepare(call, failure, session, recover)
  if failure.raised then return false, failure end
  local recovered = false
  if recover then
    recovered, failure = recover(call, failure, session)
    if recovered == nil then return false, failure end
  end
  if not recovered and not can_retry(call, failure) then return false, failure end
  local timeout = M.limit_time(call, call.maybe_done and "unknown" or failure.outcome)
  return not timeout, timeout
end

return M
