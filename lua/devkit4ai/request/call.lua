--- One call as a line of steps: build, authorize, exchange, classify, decide.
local core = require "devkit4ai.core"
local build = require "devkit4ai.request.build"
local classify = require "devkit4ai.request.classify"
local creations = require "devkit4ai.util.creations"
local errors = require "devkit4ai.util.errors"
local operations = require "devkit4ai.api.operations"
local retry = require "devkit4ai.request.retry"
local exchange = require "devkit4ai.loop.exchange"
local waits = require "devkit4ai.loop.waits"
local tasks = require "devkit4ai.loop.tasks"
local server_clock = require "devkit4ai.request.server_clock"
local session = require "devkit4ai.auth.session"

local M = {}

local huge, random, FULL = math.huge, core.random, retry.FULL
local exchange_with, now, keep_failure = exchange.send, waits.now, waits.keep_failure
local answered = classify.answered

-- One exchange, and what came of it: answer, failure, head; behind them what a trace tells.
local function send(client, row, request, secrets, progress)
  local compiled = request.compiled or core.request(request)
  local status, body, head, trouble, times = exchange_with(compiled, secrets, client, progress, row)
  if head and status and row.path then server_clock.note(client, head) end -- an image's server has a clock of its own
  local answer, failure
  if not status then answer, failure = classify.unsent(body, head)
  elseif trouble then
    if trouble.whole then answer, failure = answered(row, request, secrets, status, body, head)
    else answer, failure = classify.troubled(request, secrets, status, trouble) end
    if trouble.raised then answer, failure = classify.ended(row, answer, failure, trouble.raised) end
  else answer, failure = answered(row, request, secrets, status, body, head) end
  return answer, failure, head, status, body, times
end

-- The same for a call that is traced, or sent again.
local function send_call(call)
  local client, trace = call.client, call.client._trace
  if trace then trace:request(call) end
  call.used = client._session
  call.attempts = call.attempts + 1
  local answer, failure, head, status, body, times = send(client, call.row, call.request, call.secrets, call.progress)
  if failure then failure.attempts = failure.untried and 0 or call.attempts end
  if trace then trace:answer(call, status, head, body, times, failure, answer) end
  return answer, failure, head
end

local function tell(call, failure)
  if failure.response then return failure.response end
  if call.unknown then failure.outcome = "unknown" end
  local row, raised = call.row, failure.raised
  local _, message, err = keep_failure(classify.tell(row, call.name, call.call_name, call.secrets, failure))
  local task = err.outcome == "unknown" and row.retry_class ~= "safe" and tasks.current()
  if task and (row.retry_class == "never" or task._cancellation) then creations.open(task, err) end
  if raised and row.retry_class == "safe" then error(raised.value, 0) end -- nothing is to be said of it
  err.raised = raised
  return nil, message, err
end

local function out_of_time(call, outcome)
  return errors.fail({
    kind = "timeout", outcome = outcome, transient = true, operation = call.name, attempts = call.attempts,
    call_name = call.call_name, what = "the time for the whole call is over", advice = "give more with timeout",
    hint = "timeout",
  })
end

-- seconds of the caller's time that are left
local function left_of(call)
  return call.total and call.total - (now() - call.started) or huge
end

-- The request for another sending, with what is left of the call's time; false: nothing is.
local function renew_request(call)
  local left = left_of(call)
  if left <= 0 then return false end
  call.request = setmetatable({ total = left < huge and left or nil, compiled = false }, { __index = call.request })
  return true
end

-- Which other name of the files' part a 422 says is missing: the server refused, so nothing was done (wire.md D36).
local function missing_part(call, failure)
  local form = failure.status == 422 and call.row.body and call.row.body.multipart
  for i, part in ipairs(form and form.file_fields or {}) do
    for _, field in ipairs(failure.fields or {}) do
      if i ~= (call.client._parts[call.name] or 1) and field.loc == "body." .. part then return i end
    end
  end
end

-- What can be mended at once, and once a call: a 401 by one refresh, unless the tokens were renewed while the call was under
-- way; a name of the files' part. The server did nothing, so all is sent again. Gives what failed for good, if it can't be.
local function mend(call, failure)
  local client, part = call.client, missing_part(call, failure)
  if failure.kind == "auth" and call.bearer and session.can_mend(client, call.used, call.renewed) then
    call.renewed = call.renewed + 1
    if client._session ~= call.used then return true end
    local done, _, err = session.renew(client, M.run, left_of(call))
    if not done then return errors.from_refresh(err, "refused") end
    return true
  elseif part and not call.part then
    call.part, client._parts[call.name] = part, part
    build.fill_form(call.row.body.multipart, call.request, call.args, part)
    return true
  end
  return false
end

-- Waits until a failed call may be made again; false and why, where it may not.
local function pause(call, failure)
  local client = call.client
  local clock = {
    left = left_of(call), tries = call.tries or client._retry.attempts, budget = client._budget.tokens,
    max_wait = call.request.max_wait or client._retry.max_wait,
  }
  local seconds, why = retry.decide(call.row, failure, clock, random)
  if not seconds then return false, why end
  client._budget.tokens = clock.budget - retry.cost(failure)
  call.spent = (call.spent or 0) + retry.cost(failure)
  call.unknown = call.unknown or failure.outcome == "unknown" -- whatever becomes of the next one
  if client._trace then client._trace:retry(call, failure, seconds) end
  return waits.sleep(seconds, client), "cancelled"
end

-- A repeat that was worth it gives back what it took.
local function earn(budget, amount)
  budget.tokens = math.min(FULL, budget.tokens + amount)
end

-- A picture's address may send us on, to another place that is held to the same rules.
local function follow(call, failure)
  local location = failure.location:gsub(" ", "%%20")
  local url = core.resolve(call.request.url, location)
  call.hops = (call.hops or 0) + 1
  if call.hops > call.row.max_redirects or not url then
    failure.transient, failure.what = false, url and "the picture's address sends us on too many times"
      or "the picture's address sends us on to what is no http or https address"
    return false
  end
  local request = setmetatable({ compiled = false }, { __index = call.request })
  local done, why = build.aim(call.client, request, url)
  if not done then
    failure.transient, failure.what = false, why
    return false
  end
  call.request = request
  return true
end

-- After a failure: mends it, waits, and sends again, until there is an answer, or no use in another try.
local function go_on(call, failure)
  local answer, head
  repeat
    if failure.raised then return tell(call, failure) end
    local again, message, err = mend(call, failure)
    if again == nil then return nil, message, err end
    if failure.location and follow(call, failure) then again = true end
    if not again then
      local waited, why = pause(call, failure)
      if not waited and why == "cancelled" then
        failure.kind, failure.advice = "cancelled", nil
        failure.what = "it was cancelled while it waited for another try: " .. failure.what
      end
      if not waited then return tell(call, failure) end
    end
    if not renew_request(call) then return out_of_time(call, call.unknown and "unknown" or failure.outcome) end
    answer, failure, head = send_call(call)
    if failure and call.unknown and retry.was_done(call.row, failure) then answer, failure = true, nil end
  until not failure
  earn(call.client._budget, call.spent or 0)
  if call.row.returns_headers then return answer, nil, nil, head end
  return answer
end

-- Sees to it that the token is good first.
local function authorize(call)
  local ready, _, err = session.make_ready(call.client, M.run, call.total and left_of(call))
  if not ready then return errors.from_refresh(err, "not_sent") end
  if not renew_request(call) then return out_of_time(call, "not_sent") end
  return true
end

-- What is known of a call that needs more than one sending; one that goes well at once does without.
local function new_call(client, row, name, known, args, request, secrets, progress, started)
  return {
    client = client, row = row, name = name, bearer = known.bearer, args = args, request = request, secrets = secrets,
    progress = progress, call_name = request.call_name or row.call_name, total = request.total, tries = request.tries,
    started = started, attempts = 0, renewed = 0,
  }
end

-- started: where the call has a time or arguments of its own. libcurl's own count of a transfer that was cut is too short: by
-- that, there would be some time left for another try.
local function make(client, row, name, known, args, request, secrets, progress, started)
  local used = client._session
  local due = known.bearer and used.due < huge and now() >= used.due
  local answer, failure, head, call, _, times
  if due or client._trace then
    call = new_call(client, row, name, known, args, request, secrets, progress, started or now())
    if due then
      local ready, message, err = authorize(call)
      if not ready then return nil, message, err end
    end
    answer, failure, head = send_call(call)
  else
    answer, failure, head, _, _, times = send(client, row, request, secrets, progress)
  end
  if failure then
    if not call then
      started = started or now() - (times and times.total or 0) -- a call that goes well needs no clock
      call = new_call(client, row, name, known, args, request, secrets, progress, started)
      call.attempts, call.used = 1, used
      failure.attempts = failure.untried and 0 or 1
    end
    return go_on(call, failure)
  end
  local budget = client._budget
  if budget.tokens < FULL then earn(budget, 1) end
  if row.returns_headers then return answer, nil, nil, head end
  return answer
end

-- Notes what was created.
local function make_and_keep(client, row, name, known, args, request, secrets, progress, started)
  local creation = request.creation
  if creation then creation.sent = true end
  local answer, message, err, head = make(client, row, name, known, args, request, secrets, progress, started)
  if answer and row.creates_object then creations.object(tasks.current(), row.creates_object, answer) end
  if creation and answer then creation.answer = answer elseif creation then creation.sent = false end
  return answer, message, err, head
end

-- The same for a call that changes something: an error in it that did not end a wait (a debug hook's, in a script) has an
-- outcome as well.
local function change(client, row, name, known, args, request, secrets, progress, started)
  waits.check()
  return waits.protect(function(value, text)
    local call = new_call(client, row, name, known, args, request, secrets, progress, started)
    return tell(call, select(2, classify.ended(row, nil, nil, { value = value, text = text })))
  end, make_and_keep, client, row, name, known, args, request, secrets, progress, started)
end

-- Closes what was made for the call alone, and raises an error that ended it, unless the caller does.
local function conclude(request, answer, message, err, head)
  if request.own then request.own:close() end
  local raised = err and err.raised
  if raised and not request.creation then
    err.raised = nil
    creations.raise(raised, err)
  end
  return answer, message, err, head
end

-- Builds the request of an operation whose own part differs, makes the call, and closes what was made for it alone.
local function build_and_make(scope, row, name, known, args, extra, progress)
  local client, started = scope._client, now()
  local request, secrets, err = build.request(client, row, known, name, args, extra, scope._secrets)
  if not request then return waits.after_refusal(nil, secrets, err) end
  local run = row.retry_class == "safe" and make or change
  return conclude(request, run(client, row, name, known, args, request, secrets, progress, started))
end

--- Makes one call.
---@param scope devkit4ai.Scope
---@param name string of a row of `operations`
---@param args table? path parameters, query, fields of the body, secrets among them
---@param extra table? fields for the core's request (url, save_as, total, ...); max_wait: in place of the client's; headers: the user's own; says: in place of the row's; tries: most tries, in place of the client's; creation: of who raises an error that ended the call, which is err.raised; it gets the answer
---@param progress fun(sent: integer, total: integer)? called while the body goes out
---@return any? answer in its normal form
---@return string? message
---@return devkit4ai.Error? err
---@return string? head the answer's header block, where the row heeds it
function M.run(scope, name, args, extra, progress)
  local client, row = scope._client, operations.get(name)
  if client._closed then errors.raise((extra and extra.call_name or row.call_name) .. ": the client is closed") end
  local known = scope._prepared[name]
  if not known then
    local prepared, message, err = build.prepare(scope, name, row)
    if not prepared then return waits.after_refusal(nil, message, err) end
    known, scope._prepared[name] = prepared, prepared
  end
  if extra or not known.fixed then return build_and_make(scope, row, name, known, args, extra, progress) end
  return make(client, row, name, known, args, known.request, scope._secrets, progress)
end

--- The same for a row of the caller's own, which is not kept.
---@param scope devkit4ai.Scope
---@param row table as those of `operations`
---@param name string
---@param extra table
---@param progress fun(sent: integer, total: integer)?
function M.run_row(scope, row, name, extra, progress)
  if scope._client._closed then errors.raise(row.call_name .. ": the client is closed") end
  local known, message, err = build.prepare(scope, name, row)
  if not known then return waits.after_refusal(nil, message, err) end
  return build_and_make(scope, row, name, known, {}, extra, progress)
end

return M
