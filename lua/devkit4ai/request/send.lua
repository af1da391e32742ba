--- Sends a call that is built: exchange, classify, retry, and the results for the caller. It does not refresh tokens.
local core = require "devkit4ai.core"
local build = require "devkit4ai.request.build"
local classify = require "devkit4ai.request.classify"
local creations = require "devkit4ai.util.errors.creations"
local errors = require "devkit4ai.util.errors"
local events = require "devkit4ai.request.events"
local failures = require "devkit4ai.request.failures"
local locale = require "devkit4ai.util.locale"
local retry = require "devkit4ai.request.retry"
local exchanges = require "devkit4ai.loop.exchange"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"
local server_clock = require "devkit4ai.request.time.server_clock"

local M = {}

local huge, random, FULL_BUDGET = math.huge, core.random, retry.FULL_BUDGET
local exchange, now = exchanges.send, waits.now
local classify_response = classify.response

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
    call_name = build.call_name(call), what = ("timed out after %s s"):format(locale.format("%g", total_of(call))),
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
  build.rename_part(call, part)
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
    done, why = build.set_image_url(call, request, url)
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

-- Prepares the next attempt after a failure. false and the failure: there is none.
local function prepare_next(call, failure, session, recover)
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

-- A success gives back what its retries took from the budget; one without a retry gives back 1.
local function refill_budget(call, budget)
  budget.tokens = math.min(FULL_BUDGET, budget.tokens + (call.attempts == 1 and 1 or call.retry_cost or 0))
end

-- ---- the attempts ----

local function classify_exchange(call, status, body, head, trouble)
  if status and not trouble then return classify_response(call, status, body, head) end
  return classify.failed_exchange(call, status, body, head, trouble)
end

-- For a call that may cost something: the host ended its caller, and nobody took the response.
local function orphan_reporter(call)
  return function(status, body, head, trouble)
    if call.client._closed then return end
    local answer, failure = classify_exchange(call, status, body, head, trouble)
    if not failure or failure.outcome == "unknown" then events.orphan(call, answer, failure) end
    if call.own_secrets then call.own_secrets:close() end
  end
end

--- Sends a call until it succeeds or its failure is final.
---@param call devkit4ai.Call
---@param recover (fun(call: devkit4ai.Call, failure: devkit4ai.Failure, session: devkit4ai.Session): boolean?, devkit4ai.Failure)? session: of the attempt; true: it removed the cause of the failure; false: it can't; nil: it failed, with another failure
---@return any answer in its normal form
---@return devkit4ai.Failure? failure
---@return string? head the response's header block
function M.attempts(call, recover)
  local client, row = call.client, call.plan.row
  local trace, on_orphan = client._trace, row.billable and orphan_reporter(call) or nil
  local answer, failure, again
  repeat
    if trace then trace:request(call) end
    local request, session = call.request, client._session
    call.attempts = call.attempts + 1
    local status, body, head, trouble, times =
      exchange(request.compiled or core.request(request), call.secrets, client, call.on_upload, row, on_orphan)
    if head and status and row.path then server_clock.note(client, head) end -- not an image server's clock
    answer, failure = classify_exchange(call, status, body, head, trouble)
    if failure then failure.attempts = failure.untried and 0 or call.attempts end
    if trace then trace:answer(call, status, head, body, times, failure, answer) end
    if failure and call.maybe_done and retry.was_done(row, failure) then answer, failure = true, nil end
    if not failure then
      if client._budget.tokens < FULL_BUDGET then refill_budget(call, client._budget) end
      return answer, nil, head
    end
    again, failure = prepare_next(call, failure, session, recover)
  until not again
  return nil, failure
end

-- ---- the result ----

-- Notes for the task that its call may have created something. A cancelled call that changed something counts as well.
local function note_unknown(row, err)
  local job = err.outcome == "unknown" and row.retry_class ~= "safe" and tasks.current()
  if job and (row.retry_class == "never" or job._cancellation) then creations.open(job, err) end
end

-- The three results of a call that failed. A row that wants every response gets this one as its answer.
local function failed(call, failure)
  if failure.response then return failure.response end
  if failure.err then return nil, failure.err.message, failure.err end
  if call.maybe_done then failure.outcome = "unknown" end
  local row, raised = call.plan.row, failure.raised
  local _, message, err = waits.keep_failure(failures.give(call, failure))
  note_unknown(row, err)
  if raised and row.retry_class == "safe" then error(raised.value, 0) end -- a read has no outcome to report
  err.raised = raised
  return nil, message, err
end

--- The results of a call that changed nothing: a read, or a call that was not sent.
---@param call devkit4ai.Call
---@param answer any of M.attempts
---@param failure devkit4ai.Failure?
---@param head string?
---@return any? answer in its normal form
---@return string? message
---@return devkit4ai.Error? err
---@return string? head the response's header block, if the row asks for it
function M.finish(call, answer, failure, head)
  local message, err
  if failure then answer, message, err = failed(call, failure) end
  if call.own_secrets then call.own_secrets:close() end
  if head and call.plan.row.returns_headers then return answer, nil, nil, head end
  return answer, message, err
end

-- Sends a call and notes what it created.
local function create(call, recover)
  local creation = call.options and call.options.creation
  if creation then creation.sent = true end
  local answer, failure, head = M.attempts(call, recover)
  local message, err
  if failure then answer, message, err = failed(call, failure) end
  local row = call.plan.row
  if answer and row.creates_object then creations.object(tasks.current(), row.creates_object, answer) end
  if creation and answer then creation.answer = answer elseif creation then creation.sent = false end
  return answer, message, err, row.returns_headers and head or nil
end

-- Closes the call's own secrets. Raises the error that ended the call, unless the owner of the creation raises it.
local function conclude(call, answer, message, err, head)
  if call.own_secrets then call.own_secrets:close() end
  local raised = err and err.raised
  if raised and not (call.options and call.options.creation) then
    err.raised = nil
    creations.raise(raised, err)
  end
  return answer, message, err, head
end

--- Sends a call that changes something. An error that ends it (Ctrl-C, a debug hook) is a failure with an outcome.
---@param call devkit4ai.Call
---@param recover function? as for M.attempts
---@return any? answer in its normal form
---@return string? message
---@return devkit4ai.Error? err
---@return string? head the response's header block, if the row asks for it
function M.change(call, recover)
  return conclude(call, waits.protect(function(value, text)
    return failed(call, failures.raised(call, nil, nil, { value = value, text = text }))
  end, create, call, recover))
end

return M
