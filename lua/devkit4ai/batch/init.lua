--- client:batch: many jobs, one file and one payment for each, whatever happens in between.
local check = require "devkit4ai.batch.check"
local errors = require "devkit4ai.util.errors"
local estimate = require "devkit4ai.batch.jobs.estimate"
local host = require "devkit4ai.loop.host"
local object = require "devkit4ai.util.object"
local run = require "devkit4ai.batch.run"
local scheduler = require "devkit4ai.batch.run.scheduler"
local validate = require "devkit4ai.util.validate"
local waits = require "devkit4ai.loop.waits"

---@class devkit4ai.BatchOptions what client:batch takes
---@field jobs string|table|function a path of a .csv or .jsonl file; a list of tables; a function that gives the next table; { folder = path } of images
---@field out string the folder for the results; run makes it if it is missing. The journal is in it, too: journal.jsonl
---@field images (string|string[])? templates of paths, such as "photos/{row.photo}"; default row.images or row.image
---@field prompt string? template; default row.prompt
---@field instructions (table|string)? in place of prompt; the texts in a table are templates; default row.instructions
---@field name string? template of the file's name; default row.name, or the position: 0001.png
---@field project (string|devkit4ai.Project)? default row.project, or the client's
---@field marker boolean? default true: the instructions get a field `job`, by which a lost job is found with certainty. false: they are sent as they are
---@field concurrency integer? the most jobs at once; default: what the account allows
---@field wait boolean? wait for the end of a quota in place of stopping
---@field again string[]? names of undecided and failed jobs that are to be sent, and paid for, again
---@field again_line (fun(name: string): string)? the line that the summary and the contact sheet have for an undecided job; default: Lua for `again`
---@field save (fun(job: devkit4ai.batch.Job, path: string): any, any)? called when a file is there; if it returns nil or false, with a reason, the next run calls it again
---@field on_event fun(event: devkit4ai.batch.Event)?

---@class devkit4ai.batch.Event a step of a job, for on_event
---@field type string "planned", "sending", "accepted", "completed", "saved", "failed", "undecided", "refused"; of the batch: "paused" (nothing is sent for `seconds`), "warning", "stopped"
---@field job string? name
---@field number integer? of the job
---@field id string? of its generation
---@field reason string?
---@field seconds number? of a pause
---@field paid boolean? of a failed job
---@field not_returned integer? of "stopped", from a worker: jobs that it could not give back, since Redis did not answer
---@field time integer Unix time
---@field counts devkit4ai.batch.Counts

---@class devkit4ai.Batch jobs that were checked; nothing is sent before run
---@field plan { total: integer, done: integer, failed: integer, undecided: integer, to_send: integer, estimate: devkit4ai.batch.Estimate } what a run will do; nothing was sent yet
---@field summary devkit4ai.BatchSummary? of the last run, also of one that failed
---@field private _checked devkit4ai.batch.CheckedBatch
---@field private _run devkit4ai.batch.Run? that is in progress
local Batch = {}
Batch.__name = "devkit4ai.Batch"

---@class devkit4ai.BatchSummary how a run ended
---@field total integer jobs
---@field done integer files that are there
---@field failed integer
---@field undecided { name: string, reason: string, line: string }[] jobs whose fate is unknown, of all runs; line: what sends such a job again
---@field left integer jobs that another run continues
---@field unsaved integer those of them that are paid for
---@field unknown integer those of them that were sent, and may be paid for: another run looks for them
---@field reasons { name: string, reason: string }[] the first 20 of jobs that failed, or are left
---@field paid integer generations that the server created for this run, or that it found
---@field page string? path of the contact sheet; nil: the run did not begin
---@field page_problem string? why it could not be written
---@field seconds number
---@field continue_at integer? Unix time at which the account may send again

function Batch:__tostring()
  return ("devkit4ai.Batch of %d jobs (%s)"):format(self.plan.total, self._checked.options.out)
end

local M = {}

local OPTIONS = {
  jobs = { type = "string table function userdata", required = true }, out = { type = "string", required = true },
  images = { type = "string or table" }, prompt = { type = "string" }, instructions = { type = "table or string" },
  name = { type = "string" }, project = { type = "string or table" }, marker = { type = "boolean" },
  concurrency = { type = "number" }, wait = { type = "boolean" }, again = { type = "table" },
  again_line = { type = "function" }, save = { type = "function" }, on_event = { type = "function" },
}

-- Each record is synced on the program's thread, which takes milliseconds.
local function check_host()
  if host.blocks and not rawget(_G, "love") then return true end
  return errors.refuse("config", "client:batch writes its journal on the program's thread, which would hold up "
    .. "everything else; run `devkit4ai batch` in a process of its own")
end

--- client:batch.
---@param client devkit4ai.Client
---@param options devkit4ai.BatchOptions
---@return devkit4ai.Batch?
---@return string? message
---@return devkit4ai.Error? err
function M.new(client, options)
  options = validate.arguments("client:batch", OPTIONS, options)
  local most = options.concurrency
  if most and (most < 1 or most % 1 ~= 0) then
    errors.raise("client:batch: concurrency: give a whole number, 1 or more")
  end
  if not options.out:find "%S" or options.out:find "%z" then
    errors.raise "client:batch: out: it is empty or has a NUL; give the path of a folder, or . for the current one"
  end
  local can, message, err = check_host()
  if not can then return nil, message, err end
  local checked
  checked, message, err = check.run(client, options)
  if not checked then return nil, message, err end
  local counts = checked.comparison.counts
  local plan = { estimate = estimate.of(counts.to_send, most or estimate.AT_ONCE, estimate.SECONDS_EACH) }
  for name, count in pairs(counts) do plan[name] = count end
  return object.new(Batch, { plan = plan }, { _checked = checked })
end

-- Frees the journal.
local function free(batch)
  if batch._closed then return end
  batch._closed = true
  batch._checked.ledger:close()
end

local function execute(batch)
  batch._run = run.new(batch._checked, batch.plan, function() free(batch) end)
  batch.summary = batch._run.summary
  return run.execute(batch._run)
end

--- Runs the jobs: sends those that were not sent, and ends those that were. A run that ended early, for whatever reason, is
--- continued by another client:batch with the same options.
--- ```lua
--- local batch = assert(client:batch { jobs = { { image = "a.png", prompt = "a lighthouse" } }, out = "results" })
--- print(assert(batch:run()).done) --> 1
--- ```
---@return devkit4ai.BatchSummary? summary also where a quota ended the run: continue_at tells until when
---@return string? message
---@return devkit4ai.Error? err the failure that stopped the batch, such as a wrong key or a full disk; batch.summary has the rest
function Batch:run()
  if self._closed then errors.raise("batch:run: the batch has ended; make a new one with client:batch") end
  if self._run then errors.raise("batch:run: the batch is running already; wait for that run") end
  return waits.protect(function(value)
    free(self)
    error(value, 0)
  end, execute, self)
end

--- Stops a run soon: nothing more is sent, and jobs that were sent are left to another run. For a handler of events, and for
--- another task.
--- ```lua
--- local batch = assert(client:batch { jobs = { { image = "a.png", prompt = "a lighthouse" } }, out = "results" })
--- batch:stop()
--- ```
function Batch:stop()
  if self._run then scheduler.stop(self._run) end
end

--- Frees the journal for another process. A run does it at its end; during a run, it is the same as batch:stop. A second call changes
--- nothing.
--- ```lua
--- local batch = assert(client:batch { jobs = { { image = "a.png", prompt = "a lighthouse" } }, out = "results" })
--- print(batch.plan.to_send) --> 1
--- batch:close()
--- ```
function Batch:close()
  if self._run and not self._closed then self:stop() else free(self) end
end

Batch.__close = Batch.close

return M
