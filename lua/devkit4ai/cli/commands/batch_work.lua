--- devkit4ai batch work: takes jobs from a queue in Redis, and runs them.
local batch_events = require "devkit4ai.cli.batch.events"
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local errors = require "devkit4ai.cli.errors"
local exit_codes = require "devkit4ai.cli.errors.exit_codes"
local folders = require "devkit4ai.cli.output.folder"
local queue = require "devkit4ai.cli.batch.queue"

local M = {
  name = "batch-work", summary = "Run jobs from a queue in Redis (`batch work`).", handles_signals = true,
}

M.examples = {
  { "devkit4ai batch work --queue redis://localhost:6379/0 --out results", "run it on as many machines as you like" },
}
M.notes = "Each job creates a generation, which costs money at the API; each job is paid for once, also when several "
  .. "workers get it. The command ends when all jobs of the queue are done. docs/batch-queue.md says what to monitor. "
  .. "Exit codes: 0: no job of this worker needs you; 5: a quota is used up; 6: jobs are undecided; 8: it was "
  .. "interrupted with jobs that are paid for and not saved: others continue them; 9: jobs failed; 129, 130, 143: it "
  .. "was interrupted, and nothing of its jobs is paid for and not saved."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  queue.add_options(parser)
  parser:option("--out", "the folder for the images (required)"):argname("<folder>"):count(1)
    :convert(converters.text "--out")
  parser:option("--concurrency", "the most jobs of this worker at once, up to 1000 (default: 16)"):argname("<n>")
    :convert(converters.count "--concurrency")
  parser:option("--lease", "the time after which other workers take the jobs of one that is gone (default: 60)")
    :argname("<seconds>"):convert(converters.seconds "--lease")
  parser:option("--deliveries", "how often a job is given to a worker before it is a dead letter (default: 5)")
    :argname("<n>"):convert(converters.count "--deliveries")
  parser:flag("--wait", "wait for the end of a quota, in place of ending")
  parser:flag("--stay", "wait for more jobs when all are done")
end

-- What events:run takes for a batch: a task, which a signal cancels.
local function runner(client, given)
  local one = {}
  function one.run()
    one.task = devkit4ai.spawn(function() return client:work_batch(given) end)
    return one.task:join()
  end
  function one.stop() one.task:cancel() end
  return one
end

local function fail(fields)
  return nil, fields.message, fields
end

local UNSAVED = { accepted = true, completed = true, saved = false, failed = false } -- event -> its job is paid for and not saved

local NOT_RETURNED = "interrupted: Redis did not answer, so %d of its jobs come back to the queue when their leases "
  .. "are over;"

-- A signal ended the worker. unsaved: the names of its jobs that are paid for and not saved; not_returned: how many jobs it could
-- not give back
local function interrupted(unsaved, not_returned)
  local open = 0
  for _ in pairs(unsaved) do open = open + 1 end
  local paid = open > 0 and (" %d of them accepted and paid for;"):format(open) or ""
  return fail {
    kind = "cancelled", outcome = open > 0 and "unknown" or "not_sent", unfinished = open > 0,
    message = (not_returned and NOT_RETURNED:format(not_returned) or "interrupted: its jobs are back in the queue,")
      .. paid .. " other workers continue them, or the same command",
  }
end

-- The result of a worker that has ended.
local function report(console, summary)
  local text = ("%d saved, %d failed, %d undecided"):format(summary.saved, summary.failed, summary.undecided)
  console:print_record(summary, text)
  if summary.continue_after then
    return errors.fail("rate_limited", ("a quota is used up; it ends in %.0f s"):format(summary.continue_after))
  end
  if summary.undecided > 0 then
    return fail {
      kind = "conflict", outcome = "unknown", exit_code = exit_codes.UNKNOWN,
      message = "jobs are undecided; nothing was sent again: docs/batch-queue.md says what to do with dead letters",
    }
  end
  if summary.failed > 0 then
    return fail {
      kind = "failed", outcome = "refused", exit_code = exit_codes.FAILED_THERE,
      message = "jobs failed; `devkit4ai batch push --again NAME` puts one on the queue again",
    }
  end
  return true
end

--- Runs jobs.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  local url, project, made, summary, message
  url, message, err = queue.url(settings, console)
  if not url then return nil, message, err end
  project, message, err = clients.project(client, settings)
  if not project then return nil, message, err end
  made, message, err = folders.make(options.out)
  if not made then return nil, message, err end
  local events, unsaved, not_returned = batch_events.new(console), {}, nil
  summary, message, err = events:run(runner(client, {
    queue = url, queue_name = options.queue_name, out = options.out, project = project, wait = options.wait,
    concurrency = options.concurrency, lease = options.lease, deliveries = options.deliveries, stay = options.stay,
    on_event = function(event)
      if UNSAVED[event.type] ~= nil then unsaved[event.job] = UNSAVED[event.type] or nil end
      not_returned = event.not_returned
      if not queue.show(console, event) then events:handle(event) end
    end,
  }))
  if core.stopped() then return interrupted(unsaved, not_returned) end
  if not summary then return nil, message, err end
  return report(console, summary)
end

return M
