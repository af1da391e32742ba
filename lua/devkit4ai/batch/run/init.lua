--- One run of a batch: from the checked jobs to the summary.
local counts_of = require "devkit4ai.batch.report.counts"
local errors = require "devkit4ai.util.errors"
local instructions_of = require "devkit4ai.generation.input.instructions"
local open_jobs = require "devkit4ai.batch.run.open_jobs"
local pace = require "devkit4ai.batch.run.local_pace"
local prepare = require "devkit4ai.batch.run.prepare"
local project_scopes = require "devkit4ai.batch.project_scopes"
local report_of = require "devkit4ai.batch.report"
local scheduler = require "devkit4ai.batch.run.scheduler"
local summaries = require "devkit4ai.batch.run.summary"
local waits = require "devkit4ai.loop.waits"

local M = {}

-- The name of another job with the same instructions whose fate is unknown.
local function rival_finder(unknown)
  return function(job)
    local normal = instructions_of.normalize(job.instructions)
    for name, other in pairs(unknown) do
      local is_equal = name ~= job.name
        and instructions_of.equal(normal, instructions_of.normalize(other.instructions))
      if is_equal then return name end
    end
  end
end

local COUNTED = { saved = "done", failed = "failed", undecided = "undecided" } -- events -> what they count

local function new_context(checked, counts, summary)
  local options, unknown = checked.options, {}
  local function emit(event)
    local now = waits.now()
    if event.type == "accepted" then summary.paid = summary.paid + 1 end
    if COUNTED[event.type] then counts:add(COUNTED[event.type], now) end
    if not options.on_event then return end
    counts:update(now)
    event.time, event.counts = os.time(), counts
    options.on_event(event)
  end
  return {
    client = checked.client, ledger = checked.ledger, out = options.out, save = options.save,
    marker = options.marker ~= false,
    pace = pace.new(checked.client, { most = options.concurrency, waits_for_quota = options.wait, on_event = emit }),
    scope_of = project_scopes.of(checked.client), rival_of = rival_finder(unknown), sending = {}, saving = 0,
    unknown = unknown, emit = emit,
  }
end

local function lua_line(name)
  return ("again = { %q }"):format(name)
end

-- The contact sheet of a run.
local function new_report(checked, counts, line_of)
  local ledger = checked.ledger
  return report_of.new(checked.options.out, {
    counts = counts, line_of = line_of, payments = function() return ledger:payments() end,
    each = function()
      local next_job, why = checked.jobs:each()
      if not next_job then return nil, why end
      return function()
        local job
        repeat job = next_job() until job ~= false -- a row that can't be read now
        return job
      end
    end,
    state_of = function(job) return ledger:state_of(job) end,
  }, waits.now())
end

--- Prepares a run. Nothing is sent yet.
---@param checked devkit4ai.batch.CheckedBatch
---@param plan table of the batch
---@param close fun() frees the journal
---@return devkit4ai.batch.Run
function M.new(checked, plan, close)
  local started = waits.now()
  local counts, line_of = counts_of.new(plan, started), checked.options.again_line or lua_line
  local summary = { total = plan.total, undecided = {}, reasons = {}, paid = 0 }
  local report = new_report(checked, counts, line_of)
  return {
    checked = checked, summary = summary, counts = counts, report = report, line_of = line_of, started = started,
    context = new_context(checked, counts, summary), tasks = {}, again = {}, names = {}, close = close,
    on_result = summaries.collector(summary, report, line_of),
  }
end

--- Runs the jobs to their end, or until something stops the run. run.summary tells how it ended.
---@param run devkit4ai.batch.Run
---@return devkit4ai.BatchSummary? summary also where a quota ended the run
---@return string? message
---@return devkit4ai.Error? err
function M.execute(run)
  local checked, problems = run.checked, {}
  local done, _, err = prepare.run(checked, run.context)
  run.has_begun = done
  if done then scheduler.run(run, open_jobs.each_open(checked, problems)) else run.stop_result = { stop = err } end
  err = summaries.finish(run)
  run.close()
  if problems[1] then return errors.refuse("conflict", problems[1], nil, "batch:run") end
  if err then return nil, err.message, err end
  return run.summary
end

return M
