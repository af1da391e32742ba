--- How a run of a batch ended: what is done, what failed, what is left, and until when the account can send nothing.
local server_clock = require "devkit4ai.request.time.server_clock"
local waits = require "devkit4ai.loop.waits"

local M = {}

local MOST_REASONS = 20

--- A function that notes the end of a job.
---@param summary devkit4ai.BatchSummary
---@param report devkit4ai.batch.Report
---@param line_of fun(name: string): string what sends an undecided job again
---@return fun(job: devkit4ai.batch.Job, result: devkit4ai.batch.Result)
function M.collector(summary, report, line_of)
  return function(job, result)
    local step = result.step
    if step == "undecided" then
      table.insert(summary.undecided, { name = job.name, reason = result.reason, line = line_of(job.name) })
    elseif step ~= "saved" and #summary.reasons < MOST_REASONS then
      table.insert(summary.reasons, { name = job.name, reason = result.reason })
    end
    report:update(waits.now())
  end
end

-- Why jobs are left at the end of a run, for the contact sheet.
local function stop_note(summary, err)
  if summary.left == 0 then return nil end
  local note = err and err.message .. ". " or ""
  local when = summary.continue_at and os.date("!on %Y-%m-%d at %H:%M UTC", summary.continue_at)
  return ("%sJobs that are not done: %d. To continue%s, run the batch again."):format(note, summary.left,
    when and " " .. when or "")
end

local LEFT = { accepted = "unsaved", completed = "unsaved", sending = "unknown" } -- steps -> what counts them

-- Counts what the journal has of sent jobs that did not end. Those of earlier runs count, too: a run that stops early does not
-- come to all of them.
local function add_sent(ledger, counts, summary, line_of)
  summary.unsaved, summary.unknown = 0, 0
  local listed = {}
  for _, job in ipairs(summary.undecided) do listed[job.name] = true end
  for _, name in ipairs(ledger:unfinished_names {}) do
    local state = ledger:state_of { name = name }
    local field = LEFT[state.step]
    if field then
      summary[field] = summary[field] + 1
    elseif not listed[name] then
      counts.undecided = counts.undecided + 1
      table.insert(summary.undecided, { name = name, reason = state.reason, line = line_of(name) })
    end
  end
end

--- Fills the summary, and writes the contact sheet for the last time.
---@param run devkit4ai.batch.Run that has ended
---@return devkit4ai.Error? err the failure that stopped the run; a quota is none
function M.finish(run)
  local counts, summary, checked = run.counts, run.summary, run.checked
  add_sent(checked.ledger, counts, summary, run.line_of)
  summary.done, summary.failed, summary.seconds = counts.done, counts.failed, waits.now() - run.started
  summary.left = counts:left()
  local stop = run.stop_result
  local err = stop and stop.stop
  if stop and stop.stop_until then
    summary.continue_at = math.ceil((server_clock.at(checked.client, waits.now())) + stop.stop_until)
  end
  if run.has_begun then
    run.report:finish(stop_note(summary, err))
    summary.page, summary.page_problem = run.report.path, run.report.problem
  end
  run.context.emit { type = "stopped", reason = err and err.message }
  if err and err.kind ~= "rate_limited" then return err end
  return nil
end

return M
