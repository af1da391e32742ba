--- A worker of a queue: takes jobs, runs each from its state to its end, and keeps its leases meanwhile.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local instructions_of = require "devkit4ai.generation.input.instructions"
local keys = require "devkit4ai.batch.queue.keys"
local ledgers = require "devkit4ai.batch.queue.ledger"
local look = require "devkit4ai.batch.run.look"
local paces = require "devkit4ai.batch.queue.shared_pace"
local project_scopes = require "devkit4ai.batch.project_scopes"
local queues = require "devkit4ai.batch.queue"
local senders = require "devkit4ai.batch.sender"
local steps = require "devkit4ai.batch.run.steps"
local task_module = require "devkit4ai.loop.task"
local tasks = require "devkit4ai.loop.tasks"
local validate = require "devkit4ai.util.validate"
local waits = require "devkit4ai.loop.waits"

local M = {}

local IDLE = 0.5 -- seconds between two questions for jobs, while there are none
local COUNT_AFTER = 1 -- seconds between two counts for the events
local FIRST_PAUSE, MOST_PAUSE = 2, 60 -- seconds before a job is continued whose step failed
local MOST_TRIES = 8 -- of a job that is not refused; then its delivery has failed
local MOST_LEASE = 86400 -- seconds
local MOST_CONCURRENCY = 1000 -- jobs at once: each has a task from the start
local GRACE = 10 -- seconds that requests on their way have to be answered, when the worker is told to end

---@class devkit4ai.batch.queue.Worker
---@field id string
---@field sender devkit4ai.batch.Sender
---@field queue devkit4ai.batch.queue.Queue
---@field ledger devkit4ai.batch.queue.Ledger
---@field pace devkit4ai.batch.queue.SharedPace
---@field context devkit4ai.batch.Context
---@field lease number seconds
---@field deliveries integer how often a job may be delivered
---@field stays boolean it waits for more jobs when all are done
---@field held table<string, devkit4ai.batch.Job> the jobs that it runs, by name
---@field dropped { name: string, why: string }[] jobs whose tasks raised
---@field raised { error: any, text: string }? a task raised
---@field tasks table<devkit4ai.loop.Task, table> each with a field `job`, the one that it runs
---@field slot devkit4ai.loop.Slot? where the caller waits for the tasks
---@field summary table what it did
---@field ended boolean? no job is begun any more
---@field not_returned integer? jobs that could not be given back at the end: others take them when their leases are over
---@field failure devkit4ai.Error? why
local Worker = {}
Worker.__index = Worker

-- The name of the worker in Redis: for a person, and not the same for two workers.
local function new_id()
  local pipe = io.open "/proc/sys/kernel/hostname"
  local host = pipe and pipe:read "*l" or "host"
  if pipe then pipe:close() end
  return ("%s:%d:%s"):format(host, core.process(), queues.token(8))
end

-- ---- the end of a worker ----

-- Ends the worker: the jobs that run go on to their next step.
local function stop(worker, err, seconds)
  if worker.ended then return end
  worker.ended, worker.failure = true, err
  worker.summary.continue_after = seconds
  worker.pace:stop()
end

-- ---- one job ----

local ENDS = { saved = true, failed = true, undecided = true }

-- Runs a job until it has ended, or another worker has it, or this one ends. Gives what went wrong, if the job can't go on.
local function run_job(worker, job)
  local pause, tries = FIRST_PAUSE, 0
  while not worker.ended do
    local begun, why, detail = worker.pace:begin(job, not steps.sends(worker.ledger:state_of(job)))
    if not begun then
      if why == "quota" then stop(worker, nil, detail) elseif errors.is(detail) then stop(worker, detail) end
      return nil
    end
    local result = steps.run(worker.context, job)
    if ENDS[result.step] then
      worker.summary[result.step] = worker.summary[result.step] + 1
      return nil
    end
    if result.stop then
      if result.stop_until then stop(worker, nil, result.stop_until)
      elseif result.stop.kind ~= "conflict" then stop(worker, result.stop) end -- else the job is another worker's
      return nil
    end
    if not result.wait then
      tries = tries + 1
      if tries == MOST_TRIES then return result.reason end
      if not waits.sleep(pause) then return nil end
      pause = math.min(pause * 2, MOST_PAUSE)
    end
  end
end

-- Gives back what is left of a job.
local function give_back(worker, name, idle, why)
  local _, _, err = worker.queue:release(worker.id, name, idle, why)
  if err and worker.ended then worker.not_returned = (worker.not_returned or 0) + 1 end
end

-- Whether this program wrote the content of a job, and it has a step to continue from.
local function is_readable(claimed)
  local job = claimed.job
  if type(job) ~= "table" or job.name ~= claimed.name or type(job.images) ~= "table" then return false end
  local kind = type(job.instructions)
  if kind ~= "string" and kind ~= "table" or not instructions_of.encode(job.instructions) then return false end
  return steps.can_continue(claimed.state)
end

-- Runs a claimed job, and gives back what is left of it.
local function run_claimed(worker, own, claimed)
  local name, job = claimed.name, claimed.job
  if worker.held[name] then return end -- its lease was over, and this worker took it again
  if not is_readable(claimed) then return give_back(worker, name, 0, "its content can't be read") end
  own.job, worker.held[name] = job, job
  worker.ledger:take(name, claimed.state)
  local trouble = run_job(worker, job)
  own.job, worker.held[name] = nil, nil
  worker.ledger:drop(name)
  give_back(worker, name, trouble and 0 or MOST_LEASE, trouble)
end

-- ---- the tasks of a worker ----

-- Whether nothing is left to do.
local function is_done(worker)
  if worker.stays then return false end
  local counts = worker.ledger:persist(function() return worker.queue:counts() end)
  return counts ~= nil and counts.open == 0
end

-- Takes one job after another. `next_question`: the time of the next one, while there are no jobs; the tasks share it.
local function take_jobs(worker, asking, own)
  return function()
    while not worker.ended do
      if waits.now() < asking.next or asking.is_asked then
        if not waits.sleep(IDLE) then return true end
      else
        asking.is_asked = true
        local claimed, _, err = worker.ledger:persist(function()
          return worker.queue:claim(worker.id, worker.lease, 1, worker.deliveries, worker.sender)
        end)
        asking.is_asked = false
        if not claimed then
          stop(worker, err)
        elseif claimed[1] then
          run_claimed(worker, own, claimed[1])
        elseif not next(worker.held) and is_done(worker) then
          worker.ended = true
        else
          asking.next = waits.now() + IDLE
        end
      end
    end
    return true
  end
end

-- Renews the leases and places, until no job runs any more. A failure needs no answer here: the next step of a job that was
-- lost is refused.
local function keep_leases(worker)
  return function()
    local next_time = waits.now() + worker.lease / 3
    while not worker.ended or next(worker.held) do
      if not waits.sleep(math.min(IDLE, worker.lease / 3)) then return true end
      if waits.now() >= next_time then
        next_time = waits.now() + worker.lease / 3
        local names = {}
        for name in pairs(worker.held) do names[#names + 1] = name end
        if names[1] then worker.queue:renew(worker.id, names) end
        worker.pace:keep()
      end
    end
    return true
  end
end

local function cancel(worker, is_kept)
  for task, own in pairs(worker.tasks) do
    if not (own.job and is_kept[own.job]) then task:cancel() end
  end
end

-- Ends the tasks: at once, apart from those with a request on its way, whose answer is worth a moment.
local function end_tasks(worker)
  local deadline, waiter = waits.now() + GRACE, tasks.current()
  stop(worker)
  while next(worker.tasks) do
    local left = deadline - waits.now()
    cancel(worker, left > 0 and worker.context.sending or {})
    if next(worker.tasks) then
      worker.slot = {}
      waits.park(waiter, worker.slot, left > 0 and math.min(left, IDLE) or math.huge)
    end
  end
end

-- A task raised, such as a function of the program in it: the worker ends, and renews the lease of this job no longer.
local function end_raised(worker, own, raised)
  worker.raised = worker.raised or raised
  if own.job then
    worker.held[own.job.name] = nil
    table.insert(worker.dropped, { name = own.job.name, why = tostring(raised.error):match "[^\n]*" })
  end
  stop(worker)
end

local function start(worker, own, fn)
  local task = task_module.start(fn)
  worker.tasks[task] = own
  task._on_end = function()
    worker.tasks[task] = nil
    local raised = task_module.raised(task)
    if raised then end_raised(worker, own, raised) end
    if worker.slot then waits.wake(worker.slot) end
  end
end

-- Runs the tasks to their end. The caller's cancellation, and an error such as Ctrl-C, ends them.
local function run_tasks(worker, concurrency)
  local asking = { next = 0 }
  start(worker, {}, keep_leases(worker))
  for _ = 1, concurrency do
    local own = {}
    start(worker, own, take_jobs(worker, asking, own))
  end
  waits.protect(function(value)
    end_tasks(worker)
    error(value, 0)
  end, function()
    while next(worker.tasks) do
      worker.slot = {}
      if not waits.wait_for(worker.slot) or worker.raised then return end_tasks(worker) end
    end
  end)
end

-- Gives back the jobs whose tasks raised. The delivery counts, so that a job that raises in each worker becomes a dead letter.
local function release_dropped(worker)
  for _, job in ipairs(worker.dropped) do
    give_back(worker, job.name, MOST_LEASE, "an error was raised: " .. job.why)
  end
end

-- ---- events ----

-- Adds the counts of the whole queue to an event. They are a second old at most, since each count is a question to Redis.
local function emitter(worker, on_event)
  local counts = { total = 0, done = 0, failed = 0, undecided = 0, running = 0 }
  local counted_at = -math.huge
  return function(event)
    if not on_event then return end
    if waits.now() >= counted_at + COUNT_AFTER or event.type == "stopped" then
      local found = worker.queue:counts()
      counted_at = waits.now()
      counts = found and {
        total = found.total, done = found.saved, failed = found.failed, undecided = found.undecided,
        running = found.sending + found.accepted + found.completed,
      } or counts
    end
    event.counts = counts
    event.time = os.time()
    on_event(event)
  end
end

---@class devkit4ai.WorkBatchOptions what client:work_batch takes
---@field queue string its URL: redis://user:password@host:6379/0, rediss:// with TLS, unix:///path
---@field queue_name string? default "batch"
---@field out string the folder for the results; it must exist
---@field project (string|devkit4ai.Project)? of jobs that name none; default: the client itself sends them
---@field save (fun(job: devkit4ai.batch.Job, path: string): any, any)? called when a file is there; if it returns nil or false, with a reason, the job is not finished
---@field concurrency integer? the most jobs of this worker at once, up to 1000; default 16
---@field lease number? seconds after which another worker takes the jobs of one that is gone; default 60
---@field deliveries integer? how often a job is given to a worker before it becomes a dead letter; default 5
---@field wait boolean? wait for the end of a quota in place of ending
---@field stay boolean? wait for more jobs when all are done
---@field on_event fun(event: devkit4ai.batch.Event)? a warning about the server has the type "warning"

local OPTIONS = {
  queue = { type = "string", required = true }, queue_name = { type = "string" },
  out = { type = "string", required = true },
  project = { type = "string or table" }, save = { type = "function" }, concurrency = { type = "number" },
  lease = { type = "number" },
  deliveries = { type = "number" }, wait = { type = "boolean" }, stay = { type = "boolean" },
  on_event = { type = "function" },
}
local CONCURRENCY, LEASE, DELIVERIES = 16, 60, 5

local function check_options(options)
  for _, name in ipairs { "concurrency", "deliveries" } do
    local value = options[name]
    if value and (value < 1 or value % 1 ~= 0) then
      errors.raise(("client:work_batch: %s must be a whole number, 1 or more"):format(name))
    end
  end
  if options.concurrency and options.concurrency > MOST_CONCURRENCY then
    local why = ("a worker runs at most %d jobs at once; start more workers"):format(MOST_CONCURRENCY)
    return errors.refuse("invalid", why, nil, "client:work_batch")
  end
  if options.lease and not (options.lease >= 1 and options.lease <= MOST_LEASE) then
    local why = ("the lease must have 1 to %d seconds"):format(MOST_LEASE)
    return errors.refuse("invalid", why, nil, "client:work_batch")
  end
  return true
end

local function new_worker(client, options, queue, sender)
  local worker = setmetatable({
    id = new_id(), sender = sender, queue = queue,
    lease = options.lease or LEASE, deliveries = options.deliveries or DELIVERIES,
    stays = options.stay, held = {}, dropped = {}, tasks = {},
    summary = { saved = 0, failed = 0, undecided = 0 },
  }, Worker)
  local emit = emitter(worker, options.on_event)
  worker.ledger = ledgers.new(queue, worker.id, function(message) emit { type = "warning", reason = message } end)
  worker.pace = paces.new(queue, keys.account_prefix(client), worker.ledger, options.wait or false, function(seconds)
    emit { type = "paused", seconds = seconds }
  end)
  worker.context = {
    client = client, ledger = worker.ledger, pace = worker.pace, out = options.out, save = options.save, marker = true,
    scope_of = project_scopes.of(client, options.project), emit = emit, sending = {}, saving = 0, unknown = {},
  }
  return worker
end

--- client:work_batch.
---@param client devkit4ai.Client
---@param options devkit4ai.WorkBatchOptions
---@return { saved: integer, failed: integer, undecided: integer, continue_after: number? }? summary
---@return string? message
---@return devkit4ai.Error? err
function M.run(client, options)
  options = validate.arguments("client:work_batch", OPTIONS, options)
  local fine, why, failure = check_options(options)
  if not fine then return nil, why, failure end
  local queue, warning, err = queues.open(options.queue, options.queue_name)
  if not queue then return nil, warning, err end
  local message
  local sender = senders.of(client, options.project)
  queue, message, err = queue:open(sender)
  if not queue then return nil, message, err end
  local worker = new_worker(client, options, queue, sender)
  if warning then worker.context.emit { type = "warning", reason = warning } end
  look.learn_time(client)
  run_tasks(worker, options.concurrency or CONCURRENCY)
  release_dropped(worker)
  if not worker.raised then
    worker.context.emit {
      type = "stopped", reason = worker.failure and worker.failure.message, not_returned = worker.not_returned,
    }
  end
  queue:retire(worker.id)
  queue.redis:close()
  if worker.raised then error(worker.raised.error, 0) end
  if worker.failure then return nil, worker.failure.message, worker.failure end
  return worker.summary
end

return M
