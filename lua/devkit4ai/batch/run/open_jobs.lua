--- The jobs of a run that have not ended, one at a time: those that the check kept in memory, then those behind them, which
--- are read again.
local steps = require "devkit4ai.batch.run.steps"

local M = {}

local CHANGED = "the job %s changed during the run"

-- The jobs behind the one with a number that are in a state, one at a time. A job that is not as it was checked ends the iterator.
local function each_behind(checked, number, is_wanted, problems)
  local next_job, why = checked.jobs:each(number)
  if not next_job then
    problems[1] = why
    return function() end
  end
  local ledger = checked.ledger
  return function()
    while not problems[1] do
      local job, line, wrong = next_job()
      if job == nil then return nil end
      local state = job and ledger:state_of(job)
      if not job or state.digest ~= job.digest then
        problems[1] = job and CHANGED:format(job.name) or ("line %d: %s"):format(line, wrong)
      elseif is_wanted(state) then
        return job
      end
    end
  end
end

-- The next of the kept jobs that is in a state. The program can have changed its row since, if it has a list or a function of rows.
local function next_kept(checked, at, is_wanted, problems)
  local kept = checked.comparison.kept
  while at < #kept and not problems[1] do
    at = at + 1
    local job = kept[at]
    if is_wanted(checked.ledger:state_of(job)) then
      if checked.jobs:is_unchanged(job) then return at, job end
      problems[1] = CHANGED:format(job.name)
    end
  end
  return at
end

--- The jobs in a state: those that the check kept, then those behind them, if there can be one.
---@param checked devkit4ai.batch.CheckedBatch
---@param is_wanted fun(state: devkit4ai.batch.State): boolean
---@param is_one_behind boolean? whether the check saw one behind the kept jobs
---@param problems string[] gets what ended the iterator early, such as a job that changed
---@return fun(): devkit4ai.batch.Job?
function M.each(checked, is_wanted, is_one_behind, problems)
  local kept, at = checked.comparison.kept, 0
  local next_behind
  return function()
    local job
    at, job = next_kept(checked, at, is_wanted, problems)
    if job then return job end
    if not is_one_behind or problems[1] then return nil end
    next_behind = next_behind or each_behind(checked, kept[at].number, is_wanted, problems)
    return next_behind()
  end
end

local function was_sent(state)
  return not steps.has_ended(state) and not steps.sends(state)
end

--- All jobs that have not ended: those that were sent before, then the others.
---@param checked devkit4ai.batch.CheckedBatch
---@param problems string[] as for M.each
---@return fun(): devkit4ai.batch.Job?
function M.each_open(checked, problems)
  local behind = checked.comparison.behind
  local next_sent = M.each(checked, was_sent, behind.sent, problems)
  local next_unsent = M.each(checked, steps.sends, behind.any, problems)
  return function()
    local job = next_sent and next_sent()
    if job then return job end
    next_sent = nil
    return next_unsent()
  end
end

return M
