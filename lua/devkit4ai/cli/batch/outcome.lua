--- The end of a batch: what the command prints, and the failure that decides its exit code.
local bar = require "devkit4ai.cli.batch.bar"
local core = require "devkit4ai.core"
local exit_codes = require "devkit4ai.cli.errors.exit_codes"
local messages = require "devkit4ai.cli.errors.messages"

local M = {}

local function counted(count, singular, plural)
  return ("%d %s"):format(count, count == 1 and singular or plural)
end

-- The sentence about a run.
local function text_of(summary)
  local parts = { ("%d of %s done"):format(summary.done, counted(summary.total, "job", "jobs")) }
  if summary.failed > 0 then parts[#parts + 1] = summary.failed .. " failed" end
  if #summary.undecided > 0 then parts[#parts + 1] = #summary.undecided .. " undecided" end
  if summary.left > 0 then parts[#parts + 1] = summary.left .. " not done" end
  parts[#parts + 1] = counted(summary.paid, "payment", "payments") .. " in this run"
  return ("%s, %s"):format(table.concat(parts, ", "), bar.duration(summary.seconds))
end

-- Prints the jobs that need a decision. Failures were printed when they came.
local function print_jobs(summary, console)
  for _, job in ipairs(summary.undecided) do
    console:error(("%s is undecided, and may be paid for. To send it again, which may pay again, run:\n  %s"):format(
      job.name, job.line))
  end
end

local function fail(fields)
  return nil, fields.message, fields
end

local LEFT = "%s. Not done: %s%s. To continue, which pays for nothing twice, run:\n  %s"

-- Which of the jobs that are not done may cost something.
local function paid_text(summary)
  local parts = {}
  if summary.unsaved > 0 then parts[1] = summary.unsaved .. " accepted and paid for" end
  if summary.unknown > 0 then parts[#parts + 1] = summary.unknown .. " sent and perhaps paid for" end
  return parts[1] and ", of which " .. table.concat(parts, ", ") or ""
end

-- A run that ended before its jobs did.
local function left(summary, command, message, err)
  local sent = summary.unsaved + summary.unknown > 0
  return fail {
    kind = err.kind, outcome = sent and "unknown" or err.outcome, unfinished = sent, command = command,
    operation = err.operation, option = err.option, detail = err.detail, status = err.status,
    retry_after = err.retry_after, exit_code = exit_codes.FAILED,
    message = LEFT:format(message, counted(summary.left, "job", "jobs"), paid_text(summary), command),
  }
end

-- Why a run without a failure of its own left jobs: a signal, a quota, or failures of single jobs.
local function reason_of(summary)
  if core.stopped() then return "interrupted", { kind = "cancelled" } end
  if summary.continue_at then
    local seconds = math.max(0, summary.continue_at - os.time())
    return ("the account's quota is used up; it can continue on %s, in %s"):format(
      os.date("!%Y-%m-%d at %H:%M UTC", summary.continue_at), bar.duration(seconds)),
      { kind = "rate_limited", outcome = "refused", retry_after = seconds }
  end
  local first = summary.reasons[1]
  return first and ("%s: %s"):format(first.name, first.reason) or "the run ended early", { kind = "failed" }
end

--- Prints the end of a run.
---@param console devkit4ai.cli.Console
---@param summary devkit4ai.BatchSummary
---@param command string the command line that continues the batch
---@param message string? of the failure that stopped the run
---@param err devkit4ai.Error?
---@return boolean? done all jobs are done
---@return string? message
---@return table? err
function M.report(console, summary, command, message, err)
  if summary.page_problem then console:info("warning: " .. summary.page_problem) end
  print_jobs(summary, console)
  console:info(text_of(summary))
  local record = { type = "summary" }
  for name, value in pairs(summary) do record[name] = value end
  console:print_record(record, summary.page)
  if err then return left(summary, command, messages.text(message, err), err) end
  if summary.left > 0 then return left(summary, command, reason_of(summary)) end
  local count = #summary.undecided
  if count > 0 then
    return fail {
      kind = "conflict", outcome = "unknown", exit_code = exit_codes.UNKNOWN,
      message = ("%s undecided; nothing was sent again"):format(counted(count, "job is", "jobs are")),
    }
  end
  if summary.failed > 0 then
    return fail {
      kind = "failed", outcome = "refused", exit_code = exit_codes.FAILED_THERE,
      message = ("%s failed"):format(counted(summary.failed, "job", "jobs")),
    }
  end
  return true
end

--- Prints what a run would do.
---@param console devkit4ai.cli.Console
---@param plan table of the batch
---@return boolean done
function M.plan(console, plan)
  local estimate = plan.estimate
  local text = { ("%s: %d done, %d failed, %d undecided, %d to send and to pay for"):format(
    counted(plan.total, "job", "jobs"), plan.done, plan.failed, plan.undecided, plan.to_send) }
  if plan.to_send > 0 then
    text[2] = ("estimate: %s, with %d at once"):format(bar.duration(estimate.seconds), estimate.at_once)
  end
  text[#text + 1] = "nothing was sent"
  console:print_record(plan, table.concat(text, "\n"))
  return true
end

return M
