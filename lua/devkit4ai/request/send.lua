--- Sends a call that is built: exchange, classify, retry, and the results for the caller. It does not refresh tokens.
local core = require "devkit4ai.core"
local classify = require "devkit4ai.request.classify"
local lazy = require "devkit4ai.util.lazy"
local creations = lazy.module "devkit4ai.util.errors.creations"
local exchanges = require "devkit4ai.loop.exchange"
local failures = lazy.module "devkit4ai.request.failures"
local limits = require "devkit4ai.api.limits"
local next_attempt = lazy.module "devkit4ai.request.retry.next_attempt"
local retry = lazy.module "devkit4ai.request.retry"
local server_clock = lazy.module "devkit4ai.request.time.server_clock"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"

local M = {}

local FULL_BUDGET = limits.RETRY_BUDGET
local exchange, classify_response = exchanges.send, classify.response

-- A success gives back what its retries took from the budget; one without a retry gives back 1.
local function refill_budget(call, budget)
  budget.tokens = math.min(FULL_BUDGET, budget.tokens + (call.attempts == 1 and 1 or call.retry_cost or 0))
end

-- ---- the attempts ----

local calls = 0 -- of this Lua state, counted up to 2

-- The second call loads the modules that the first one left out: the program goes on, and may run out of descriptors.
local function count_call()
  calls = calls + 1
  if calls == 2 then lazy.load_all() end
end

--- Sends a call until it succeeds or its failure is final.
---@param call devkit4ai.Call
---@param recover (fun(call: devkit4ai.Call, failure: devkit4ai.Failure, session: devkit4ai.Session): boolean?, devkit4ai.Failure)? session: of the attempt; true: it removed the cause of the failure; false: it can't; nil: it failed, with another failure
---@return any answer in its normal form
---@return devkit4ai.Failure? failure
---@return string? head the response's header block
function M.attempts(call, recover)
  if calls < 2 then count_call() end
  local client, row = call.client, call.plan.row
  local trace = client._trace
  local answer, failure, again
  repeat
    if trace then trace:request(call) end
    local request, session = call.request, client._session
    call.attempts = call.attempts + 1
    local status, body, head, trouble, times =
      exchange(request.compiled or core.request(request), call.secrets, client, call.on_upload, row)
    if head and status and row.path then server_clock.note(client, head) end -- not an image server's clock
    if status and not trouble then answer, failure = classify_response(call, status, body, head)
    else answer, failure = classify.failed_exchange(call, status, body, head, trouble) end
    if failure then failure.attempts = failure.untried and 0 or call.attempts end
    if trace then trace:answer(call, status, head, body, times, failure, answer) end
    if failure and call.maybe_done and retry.was_done(row, failure) then answer, failure = true, nil end
    if not failure then
      if client._budget.tokens < FULL_BUDGET then refill_budget(call, client._budget) end
      return answer, nil, head
    end
    again, failure = next_attempt.prepare(call, failure, session, recover)
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
  lazy.load_all()
  return conclude(call, waits.protect(function(value, text)
    return failed(call, failures.raised(call, nil, nil, { value = value, text = text }))
  end, create, call, recover))
end

return M
