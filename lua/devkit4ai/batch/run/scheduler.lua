--- Runs the jobs of a batch beside each other, as many as the pace allows, and counts how they end.
local errors = require "devkit4ai.util.errors"
local steps = require "devkit4ai.batch.run.steps"
local task_module = require "devkit4ai.loop.task"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"

local M = {}

local MOST_SAVING = 16 -- images at once; a job that is saved has no place of the pace any more
local TURN = 1 / 10 -- seconds after which such a request is looked at again
local GRACE = 10 -- seconds that requests on their way have to be answered, after a stop

---@class devkit4ai.batch.Run
---@field checked devkit4ai.batch.CheckedBatch
---@field summary devkit4ai.BatchSummary
---@field report devkit4ai.batch.Report
---@field line_of fun(name: string): string what sends an undecided job again
---@field started number on the clock of waits.now
---@field has_begun boolean? the journal has the planned jobs
---@field context devkit4ai.batch.Context
---@field counts devkit4ai.batch.Counts
---@field tasks table<devkit4ai.batch.Job, devkit4ai.loop.Task>
---@field again devkit4ai.batch.Job[] refused jobs, which are sent again
---@field names table<string, true> of the jobs in tasks and again
---@field on_result fun(job: devkit4ai.batch.Job, result: devkit4ai.batch.Result)
---@field close fun() frees the journal, before an error of a task is raised
---@field stop_result devkit4ai.batch.Result? why nothing more is sent
---@field sends_no_more boolean?
---@field is_stopped boolean? the jobs that run end, too
---@field raised { error: any, text: string }? a task raised
---@field slot devkit4ai.loop.Slot? where the caller waits

-- Waits until a job ends. false: the caller's task was cancelled.
local function wait_for_end(run, seconds)
  run.slot = {}
  local going = waits.wait_for(run.slot, seconds)
  run.slot = nil
  return going
end

-- Sends no more jobs. Those that were sent go on.
local function stop_sending(run)
  run.sends_no_more = true
  run.context.pace:stop()
  if run.slot then waits.wake(run.slot) end
end

--- Stops soon: another run continues.
---@param run devkit4ai.batch.Run
function M.stop(run)
  run.is_stopped = true
  stop_sending(run)
end

local function end_job(run, job, task)
  run.tasks[job] = nil
  run.counts.running = run.counts.running - 1
  local raised = task_module.raised(task)
  local result = task._results and task._results[1]
  if raised then run.raised = run.raised or raised end
  if type(result) ~= "table" then result = { step = "unfinished", reason = "its task was ended" } end
  if result.stop then run.stop_result = run.stop_result or result end
  if result.wait and not run.sends_no_more then
    run.again[#run.again + 1] = job
  else
    run.names[job.name] = nil
    run.on_result(job, result)
  end
  if raised or result.stop and result.stop.kind ~= "rate_limited" then M.stop(run)
  elseif result.stop then stop_sending(run) end
  if run.slot then waits.wake(run.slot) end
end

local function start(run, job)
  run.counts.running = run.counts.running + 1
  local task = task_module.start(steps.run, run.context, job)
  run.tasks[job], run.names[job.name] = task, true
  task._on_end = function() end_job(run, job, task) end
end

-- The next job: one that was refused, or the next one of the iterator. A job file that changes during the run may name a job again
-- that has not ended; it has one task.
local function next_of(run, next_job)
  local job = table.remove(run.again, 1)
  if job then return job end
  repeat job = next_job() until not job or not run.names[job.name]
  return job
end

-- Another run of the account found that its quota is used up.
local function stop_for_quota(run, seconds)
  local _, _, err = errors.refuse("rate_limited", "another run of this account found its quota used up", nil,
    "batch:run")
  run.stop_result = run.stop_result or { stop = err, stop_until = seconds }
  stop_sending(run)
end

-- Starts all jobs, one after the other, and waits until all have ended. false: the caller's task was cancelled.
local function run_all(run, next_job)
  while not run.is_stopped do
    local is_full = run.context.saving >= MOST_SAVING
    local job = not (is_full or run.sends_no_more) and next_of(run, next_job)
    if job then
      local sends = steps.sends(run.context.ledger:state_of(job))
      local begun, why, seconds = run.context.pace:begin(job, not sends)
      if begun then start(run, job)
      elseif why == "cancelled" then return false
      elseif why == "quota" then stop_for_quota(run, seconds) end
    elseif not next(run.tasks) then
      return true
    elseif not wait_for_end(run) then
      return false
    end
  end
  return true
end

local function cancel(run, is_kept)
  for job, task in pairs(run.tasks) do
    if not is_kept[job] then task:cancel() end
  end
end

-- Ends the jobs that run: at once, apart from requests on their way, whose answers are worth a moment.
local function finish(run)
  local deadline, waiter = waits.now() + GRACE, tasks.current()
  M.stop(run)
  while next(run.tasks) do
    local left = deadline - waits.now()
    run.slot = {} -- before the cancel: a task that has not begun ends in it
    cancel(run, left > 0 and run.context.sending or {})
    waits.park(waiter, run.slot, left > 0 and math.min(left, TURN) or math.huge)
  end
  run.slot = nil
  run.context.pace:close()
end

local CONTINUES = "\nThe batch is not complete. The same call continues it; nothing is paid for twice."

-- An error ended the wait of a script, such as Ctrl-C.
local function end_run(run)
  return function(value)
    finish(run)
    error(type(value) == "string" and value .. CONTINUES or value, 0)
  end
end

--- Runs jobs until all have ended, or the batch stops.
---@param run devkit4ai.batch.Run
---@param next_job fun(): devkit4ai.batch.Job? those that have not ended; nil: there are no more
function M.run(run, next_job)
  waits.protect(end_run(run), function()
    run_all(run, next_job)
    finish(run)
  end)
  if not run.raised then return end
  run.close()
  error(run.raised.error, 0)
end

return M
