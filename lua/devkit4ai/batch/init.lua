--- client:batch: many jobs, one file and one payment for each, whatever happens in between.
local comparison = require "devkit4ai.batch.run.comparison"
local counts_of = require "devkit4ai.batch.report.counts"
local errors = require "devkit4ai.util.errors"
local estimate = require "devkit4ai.batch.jobs.estimate"
local host = require "devkit4ai.loop.host"
local instructions_of = require "devkit4ai.generation.input.instructions"
local jobs_of = require "devkit4ai.batch.jobs"
local journal = require "devkit4ai.batch.journal"
local look = require "devkit4ai.batch.run.look"
local marker = require "devkit4ai.batch.run.marker"
local object = require "devkit4ai.util.object"
local pace = require "devkit4ai.batch.run.local_pace"
local report_of = require "devkit4ai.batch.report"
local scheduler = require "devkit4ai.batch.run.scheduler"
local server_clock = require "devkit4ai.request.time.server_clock"
local steps = require "devkit4ai.batch.run.steps"
local validate = require "devkit4ai.util.validate"
local waits = require "devkit4ai.loop.waits"

---@class devkit4ai.BatchOptions what client:batch takes
---@field jobs string|table|function a path of a .csv or .jsonl file; a list of tables; a function that gives the next table; { folder = path } of images
---@field out string the folder for the results; it must exist. The journal is in it, too: journal.jsonl
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
---@field type string "planned", "sending", "accepted", "completed", "saved", "failed", "undecided", "refused", "stopped"
---@field job string? name
---@field number integer? of the job
---@field id string? of its generation
---@field reason string?
---@field paid boolean? of a failed job
---@field time integer Unix time
---@field counts devkit4ai.batch.Counts

---@class devkit4ai.Batch jobs that were checked; nothing is sent before run
---@field plan { total: integer, done: integer, failed: integer, undecided: integer, to_send: integer, estimate: devkit4ai.batch.Estimate } what a run will do; nothing was sent yet
---@field summary devkit4ai.BatchSummary? of the last run, also of one that failed
---@field private _context devkit4ai.batch.Context
---@field private _jobs devkit4ai.batch.Jobs
---@field private _journal devkit4ai.batch.Journal
---@field private _comparison devkit4ai.batch.Comparison
---@field private _options devkit4ai.BatchOptions
---@field private _run devkit4ai.batch.Run? that is in progress
local Batch = {}
Batch.__name = "devkit4ai.Batch"

---@class devkit4ai.BatchSummary how a run ended
---@field total integer jobs
---@field done integer files that are there
---@field failed integer
---@field undecided { name: string, reason: string, line: string }[] jobs whose fate is unknown; line: what sends such a job again
---@field left integer jobs that another run continues
---@field reasons { name: string, reason: string }[] the first 20 of jobs that failed, or are left
---@field paid integer generations that the server created for this run, or that it found
---@field page string path of the contact sheet
---@field page_problem string? why it could not be written
---@field seconds number
---@field continue_at integer? Unix time at which the account may send again

function Batch:__tostring()
  return ("devkit4ai.Batch of %d jobs (%s)"):format(self.plan.total, self._options.out)
end

local M = {}

local SECONDS_EACH = 120 -- of a generation, for the estimate; wire.md 5.2 documents 30 to 600
local AT_ONCE = 3 -- of an account whose limit is not known, for the estimate
local MOST_REASONS = 20

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

-- ---- the checks ----

local function scopes(client)
  local projects = {}
  return function(job)
    local id = job.project
    if not id then return client end
    projects[id] = projects[id] or client:project(id)
    return projects[id]
  end
end

-- Compares and checks all jobs.
local function check(options, jobs, ledger)
  local compared = comparison.new(ledger, options)
  local function instructions_problem(job)
    if options.marker == false then return select(2, instructions_of.encode(job.instructions)) end
    return marker.problem(job, ledger.batch, ledger:state_of(job).attempt)
  end
  local checked, message, kind = jobs:check {
    is_done = function(job) return not compared:add(job) end, instructions_problem = instructions_problem,
  }
  if not checked then return errors.refuse(kind, message, nil, "client:batch") end
  local problem = compared:problem()
  if problem then return errors.refuse("conflict", problem, nil, "client:batch") end
  return compared
end

local function open(options)
  local project = options.project
  local jobs, why, kind = jobs_of.open(options.jobs, {
    images = options.images, prompt = options.prompt, instructions = options.instructions, name = options.name,
    project = type(project) == "table" and project.id or project,
  })
  if not jobs then return errors.refuse(kind, why, nil, "client:batch") end
  local ledger, message, err = journal.open(options.out)
  if not ledger then return nil, message, err end
  local compared
  compared, message, err = check(options, jobs, ledger)
  if compared then return jobs, ledger, compared end
  ledger:close()
  return nil, message, err
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
  local can, message, err = check_host()
  if not can then return nil, message, err end
  local jobs, ledger, compared = open(options)
  if not jobs then return nil, ledger, compared end
  local counts = compared.counts
  local plan = { estimate = estimate.of(counts.to_send, most or AT_ONCE, SECONDS_EACH) }
  for name, count in pairs(counts) do plan[name] = count end
  return object.new(Batch, { plan = plan }, {
    _client = client, _options = options, _jobs = jobs, _journal = ledger, _comparison = compared,
  })
end

-- ---- the run ----

-- The name of another job with the same instructions whose fate is unknown.
local function rival_finder(unknown)
  return function(job)
    local normal = instructions_of.normalize(job.instructions)
    for other in pairs(unknown) do
      local is_equal = other ~= job and instructions_of.equal(normal, instructions_of.normalize(other.instructions))
      if is_equal then return other.name end
    end
  end
end

local function new_context(batch, counts, summary)
  local options, unknown = batch._options, {}
  return {
    client = batch._client, ledger = batch._journal, out = options.out, save = options.save,
    marker = options.marker ~= false,
    pace = pace.new { most = options.concurrency, waits_for_quota = options.wait },
    scope_of = scopes(batch._client), rival_of = rival_finder(unknown), sending = {}, saving = 0,
    unknown = unknown,
    emit = function(event)
      if event.type == "accepted" then summary.paid = summary.paid + 1 end
      if not options.on_event then return end
      counts:update(waits.now())
      event.time, event.counts = os.time(), counts
      options.on_event(event)
    end,
  }
end

-- The jobs that are in a state, one at a time. A job that is not as it was checked ends the iterator.
local function each(batch, is_wanted, problems)
  local next_job, why = batch._jobs:each()
  if not next_job then
    problems[1] = why
    return function() end
  end
  local ledger = batch._journal
  return function()
    while not problems[1] do
      local job, line, wrong = next_job()
      if job == nil then return nil end
      local state = job and ledger:state_of(job)
      if not job or state.digest ~= job.digest then
        problems[1] = job and ("the job %s changed during the run"):format(job.name)
          or ("line %d: %s"):format(line, wrong)
      elseif is_wanted(state) then
        return job
      end
    end
  end
end

local function was_sent(state)
  return not steps.has_ended(state) and not steps.sends(state)
end

-- All jobs that have not ended: those that were sent before, then the others.
local function each_open(batch, problems)
  local next_sent = each(batch, was_sent, problems)
  local next_unsent
  return function()
    local job = next_sent and next_sent()
    if job then return job end
    next_sent = nil
    next_unsent = next_unsent or each(batch, steps.sends, problems)
    return next_unsent()
  end
end

-- Undecided jobs that the user decided to send again are looked for once more.
local function look_again(batch, context)
  local wanted, planned = batch._comparison.undecided_again, batch._comparison.planned
  if not next(wanted) then return true end
  local problems = {}
  for job in each(batch, function(state) return state.step == "undecided" end, problems) do
    local state = batch._journal:state_of(job)
    local found = wanted[job.name] and look.run(context, job, state) or {}
    if found.err then return nil, found.err.message, found.err end
    if found.id then
      local done, message, err = batch._journal:record(job, "accepted", { id = found.id })
      if not done then return nil, message, err end
    elseif wanted[job.name] then
      planned[#planned + 1] = { name = job.name, digest = job.digest, attempt = (state.attempt or 1) + 1 }
    end
  end
  if problems[1] then return errors.refuse("conflict", problems[1], nil, "batch:run") end
  return true
end

-- The time of the server is asked for, if no response has told it: a search for a lost answer begins there. (The headers of
-- client:health are not read.)
local function learn_time(client)
  local _, is_known = server_clock.at(client, waits.now())
  if not is_known then client:request { method = "GET", path = "/health" } end
end

local function prepare(batch, context)
  learn_time(batch._client)
  local done, message, err = look_again(batch, context)
  if not done then return nil, message, err end
  done, message, err = batch._journal:begin(batch._comparison.planned)
  if not done then return nil, message, err end
  for _, planned in ipairs(batch._comparison.planned) do context.emit { type = "planned", job = planned.name } end
  batch._comparison.planned = {}
  return true
end

local function lua_line(name)
  return ("again = { %q }"):format(name)
end

-- Counts the end of a job.
local function collector(summary, counts, report, line_of)
  local fields = { saved = "done", failed = "failed", undecided = "undecided" }
  return function(job, result)
    local step, now = result.step, waits.now()
    if fields[step] then counts:add(fields[step], now) end
    if step == "undecided" then
      table.insert(summary.undecided, { name = job.name, reason = result.reason, line = line_of(job.name) })
    elseif step ~= "saved" and #summary.reasons < MOST_REASONS then
      table.insert(summary.reasons, { name = job.name, reason = result.reason })
    end
    report:update(now)
  end
end

-- The contact sheet of a run.
local function new_report(batch, counts, line_of)
  local ledger = batch._journal
  return report_of.new(batch._options.out, {
    counts = counts, line_of = line_of, payments = function() return ledger:payments() end,
    each = function()
      local next_job, why = batch._jobs:each()
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

-- Why jobs are left at the end of a run, for the contact sheet.
local function stop_note(summary, err)
  if summary.left == 0 then return nil end
  local note = err and err.message .. ". " or ""
  local when = summary.continue_at and os.date("!on %Y-%m-%d at %H:%M UTC", summary.continue_at)
  return ("%sJobs that are not done: %d. To continue%s, run the batch again."):format(note, summary.left,
    when and " " .. when or "")
end

local function finish(batch, run, summary, started, problem)
  local counts = run.counts
  summary.done, summary.failed, summary.seconds = counts.done, counts.failed, waits.now() - started
  summary.left = counts:left()
  local stop = run.stop_result
  local err = stop and stop.stop
  if stop and stop.stop_until then
    summary.continue_at = math.ceil((server_clock.at(batch._client, waits.now())) + stop.stop_until)
  end
  run.report:finish(stop_note(summary, err))
  summary.page, summary.page_problem = run.report.path, run.report.problem
  run.context.emit { type = "stopped", reason = err and err.message }
  batch:close()
  if problem then return errors.refuse("conflict", problem, nil, "batch:run") end
  if err and err.kind ~= "rate_limited" then return nil, err.message, err end
  return summary
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
  local started, plan, problems = waits.now(), self.plan, {}
  local counts, line_of = counts_of.new(plan, started), self._options.again_line or lua_line
  local summary = { total = plan.total, undecided = {}, reasons = {}, paid = 0 }
  local context = new_context(self, counts, summary)
  self.summary = summary
  local report = new_report(self, counts, line_of)
  self._run = {
    context = context, counts = counts, report = report, tasks = {}, again = {},
    on_result = collector(summary, counts, report, line_of),
  }
  local done, message, err = prepare(self, context)
  if not done then
    self:close()
    return nil, message, err
  end
  scheduler.run(self._run, each_open(self, problems))
  return finish(self, self._run, summary, started, problems[1])
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

--- Frees the journal for another process. A run does it at its end; a second call changes nothing.
--- ```lua
--- local batch = assert(client:batch { jobs = { { image = "a.png", prompt = "a lighthouse" } }, out = "results" })
--- print(batch.plan.to_send) --> 1
--- batch:close()
--- ```
function Batch:close()
  if self._closed then return end
  self._closed = true
  self._journal:close()
end

Batch.__close = Batch.close

return M
