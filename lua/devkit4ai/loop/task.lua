--- Tasks: functions that run beside each other, each waiting for itself.
local runtime = require "devkit4ai.loop.runtime"
local validate = require "devkit4ai.util.validate"
local creations = require "devkit4ai.loop.creations"
local errors = require "devkit4ai.util.errors"
local object = require "devkit4ai.util.object"

local unpack = table.unpack or unpack -- luacheck: ignore 113

---@class devkit4ai.Task
---@field done boolean it is over: join gives at once
local Task = {}
Task.__name = "devkit4ai.Task"

-- The job of a task: what the loop and the runtime know of it.
local Job = {}
Job.__index = Job

local M = {}

local function pack(...)
  return { n = select("#", ...), ... }
end

-- ---- how it ends ----

local newproxy = rawget(_G, "newproxy") -- of Lua 5.1 and LuaJIT, which finalize userdata alone

-- Something whose end calls fn.
local function at_the_end(fn)
  local proxy = newproxy and newproxy(true)
  if not proxy then return setmetatable({}, { __gc = fn }) end
  getmetatable(proxy).__gc = fn
  return proxy
end

local function tell(client, text)
  local event = { type = "task_failed", message = text }
  if client and require("devkit4ai.request.events").emit(client, event) then return end
  io.stderr:write("devkit4ai: a task failed: ", text, "\n")
end

-- Where nobody has joined a task that failed until it is gone, its traceback is told to the client whose call it made last,
-- and to standard error where that one tells nobody.
local function tell_if_orphaned(task, text)
  local fate, client = { heard = false }, task._client
  task._fate = fate
  task._end = at_the_end(function()
    if not fate.heard then tell(client, text) end
  end)
end

local NOTHING = { outcome = "not_sent", message = "nothing was under way" } -- what a cancel cut

-- What a cancelled task gives: the failure that its function gave, or the gravest of what was cut in it. If it raised, then
-- mostly for that, as assert does.
local function give_cancelled(task, text, err)
  local cut = errors.is(err) and err or task._cut or NOTHING
  local message = "the task was cancelled: " .. cut.message
  if text and not text:find(cut.message, 1, true) then message = ("%s; then it raised %s"):format(message, text) end
  local fields = {}
  for name, value in pairs(cut) do fields[name] = value end
  fields.kind, fields.message = "cancelled", message
  local _, _, told = errors.fail(fields)
  return creations.failure(task._notes, message, told)
end

local function finish(task, results)
  task.done, task._results = true, results
  if task._task then task._task.done = true end
  for _, slot in ipairs(task._joiners or {}) do runtime.wake(slot) end
  if task._ended then task:_ended() end
end

-- Whether a function gave nil, message, err.
local function is_failure(results)
  return results ~= nil and results[1] == nil and results[2] ~= nil
end

local function run(task)
  local fn, args = task._fn, task._args
  task._fn, task._args = nil, nil
  if not fn then return end -- cancelled before it ran
  local results = args and pack(fn(unpack(args, 1, args.n))) or not args and pack(fn())
  if task._stopped and results[1] == nil then
    results = pack(give_cancelled(task, nil, results[3]))
  elseif task._notes and is_failure(results) then
    results = pack(creations.failure(task._notes, results[2], results[3]))
  end
  finish(task, results)
end

--- What the loop calls when it raised.
---@private
---@param why any
---@param traceback string
function Job:failed(why, traceback)
  local text = self._client and self._client._secrets:mask(traceback) or traceback
  runtime.leave(self)
  if self._stopped then return finish(self, pack(give_cancelled(self, text, why))) end
  self._failed, self._error = true, creations.raised(self._notes, why, text)
  self._text = creations.name(text, self._notes)
  tell_if_orphaned(self, self._text)
  finish(self)
end

--- What the loop calls in a forked child: its parent goes on with the task.
---@private
function Job:left()
  self._fn, self._args = nil, nil
  if self._member_of then self._member_of.stopped = true end
  finish(self, pack(errors.refuse("config", "the task belongs to the process that this one was forked from; it goes on "
    .. "there; spawn a task of this process's own")))
end

--- What the runtime calls of a cancelled task that does not end.
---@private
function Job:given_up()
  finish(self, pack(give_cancelled(self)))
end

--- What task:cancel() and the end of an all or map call.
---@private
function Job:cancel()
  if self.done or self._cancelled then return end
  runtime.cancel(self)
  if self._fn then
    self._fn, self._args = nil, nil
    finish(self, pack(give_cancelled(self)))
  end
end

-- ---- what the user has ----

local function job_of(task, what)
  local record = getmetatable(task)
  if type(record) ~= "table" or getmetatable(record) ~= Task.__record then
    errors.raise(("task:%s: call it with a colon, on a task"):format(what))
  end
  return record._job
end

local function start(fn, ...)
  local job = setmetatable({ done = false, _fn = fn, _args = select("#", ...) > 0 and pack(...) or nil }, Job)
  runtime.spawn(run, job)
  return job
end

local FUNCTION = { type = "function", required = true }

--- Runs fn(...) beside the caller, from the next time that somebody waits or updates.
---@param fn function
---@param ... any
---@return devkit4ai.Task
function M.spawn(fn, ...)
  validate.value("devkit4ai.spawn", FUNCTION, fn)
  local job = start(fn, ...)
  job._task = object.new(Task, { done = false }, { _job = job })
  return job._task
end

-- Whether a task waits for another one, itself or through those that it waits for. seen: the tasks that were looked at.
local function waits_for(task, wanted, seen)
  if task == wanted then return true end
  seen[task] = true
  for _, other in pairs(task._waits or {}) do
    if not (other.done or seen[other]) and waits_for(other, wanted, seen) then return true end
  end
  return false
end

local function wait_for_end(task)
  local joiner, slot = runtime.job(), {}
  if joiner == task then errors.raise("task:join: a task can't wait for its own end") end
  if joiner and waits_for(task, joiner, {}) then
    errors.raise("task:join: that task waits for this one, so both would wait for ever; join one of them elsewhere")
  end
  task._joiners = task._joiners or {}
  table.insert(task._joiners, slot)
  if joiner then joiner._waits = { task } end
  local over = runtime.wait_for(slot)
  if joiner then joiner._waits = nil end
  return over
end

--- Waits for the end of the task.
--- ```lua
--- local task = devkit4ai.spawn(function() return 1, 2 end)
--- print(task:join()) --> 1 2
--- ```
---@return any ... what its function returned. An error in it is raised again: a text with its traceback, another value as it is, or as err.cause of an error that names what the task created. Where a cancel ended the function without a value: nil, message, err of kind `cancelled`. An err of a task in which something was created names all of it, and its outcome is `unknown`; err.generation_ids: the ids
function Task:join()
  local task, joiner = job_of(self, "join"), runtime.job()
  local late = joiner and joiner._cancelled -- a wait that was under way before has its end, if that came first
  while not task.done do
    if not wait_for_end(task) and (late or not task.done) then
      return errors.refuse("cancelled", "task:join: the task that waits was cancelled; the other one goes on")
    end
  end
  creations.adopt(joiner, task)
  if task._failed then
    task._fate.heard = true
    error(task._error, 0)
  end
  return unpack(task._results, 1, task._results.n)
end

--- Cancels the task: what it waits for is ended at once and comes back in it as nil, message, err of kind `cancelled`, and so
--- does each later wait, with nothing sent. A call whose answer has come gives its value. A task that has not begun never runs;
--- one that is over stays as it is. Twice is once. A task that begins 1000 waits after its cancel is ended.
--- ```lua
--- local task = devkit4ai.spawn(function() return gen:wait() end)
--- local _, _, err = task:cancel():join()
--- print(err.kind, err.outcome) --> cancelled not_sent
--- ```
---@return devkit4ai.Task task itself
function Task:cancel()
  job_of(self, "cancel"):cancel()
  return self
end

Task.__close = Task.cancel

-- ---- time ----

local NUMBER = { type = "number", required = true }
local LONGEST = 2 ^ 31 -- seconds; a longer sleep has no end that a clock can tell

--- devkit4ai.sleep; see there.
function M.sleep(seconds)
  validate.value("devkit4ai.sleep: seconds", NUMBER, seconds)
  if seconds ~= seconds then errors.raise("devkit4ai.sleep: seconds: give a number, not NaN") end
  if runtime.rest(seconds < LONGEST and math.max(0, seconds) or math.huge) then return true end
  return runtime.cut(errors.refuse("cancelled", "devkit4ai.sleep: the task was cancelled"))
end

local UPDATE = { budget = { type = "number" } }

--- The seconds that devkit4ai.update gives to tasks.
---@param options table
---@return number?
function M.budget_of(options)
  local budget = validate.arguments("devkit4ai.update", UPDATE, options).budget
  if budget and (budget < 0 or budget ~= budget) then
    errors.raise("devkit4ai.update: budget: give seconds, 0 or more")
  end
  return budget
end

-- ---- many ----

-- Tasks that one caller waits for. alive: how many are not over; failed: the first of them that failed, where that ends the
-- others; cut: the gravest of what cancelling them cut; results: the first values of those that gave one; _notes: what they
-- created.
local function new_group()
  return { tasks = {}, alive = 0, results = {} }
end

local function add(group, i, ended, fn, ...)
  local task = start(fn, ...)
  group.tasks[i], group.alive = task, group.alive + 1
  task._member_of = group
  task._ended = function()
    group.alive = group.alive - 1
    if task._cut then group.cut = runtime.graver(group.cut, task._cut) end
    if task._results then group.results[i] = task._results[1] end
    creations.adopt(group, task)
    ended(task)
    if group.slot and (group.failed or group.alive == 0) then runtime.wake(group.slot) end
  end
end

local function cancel_all(group)
  group.stopped = true
  for _, job in pairs(group.tasks) do job:cancel() end
end

-- Waits until none is alive. Where one failed, or the caller is cancelled, the others are cancelled, and waited for all the
-- same, so that what was cut in them is known. Gives whether the caller goes on.
local function wait_for_members(group)
  local going = true
  while group.alive > 0 do
    group.slot = {}
    if going and not group.failed then
      going = runtime.wait_for(group.slot) or group.alive == 0
    else
      cancel_all(group)
      if group.alive > 0 then runtime.wait_out(group.slot) end
    end
  end
  return going
end

-- An error ended the wait of a script: the tasks end with it, and the error names what they created.
local function give_up(group)
  return function(value, text)
    cancel_all(group)
    group.failed = nil
    while group.alive > 0 do
      group.slot = {}
      runtime.wait_out(group.slot)
    end
    error(creations.raised(group._notes, value, text), 0)
  end
end

-- The same as wait_for_members; where the caller was cancelled: nil, message, err.
local function wait_for_group(group, what)
  local joiner = runtime.job()
  if joiner then joiner._waits, joiner._group = group.tasks, group end
  local going = runtime.protect(give_up(group), wait_for_members, group)
  if joiner then joiner._waits, joiner._group = nil, nil end
  creations.adopt(joiner, group)
  if going then return true end
  local cut = group.cut or NOTHING
  local message = ("%s: the task that waits was cancelled, and so were its own: %s"):format(what, cut.message)
  local _, _, err = errors.fail({
    kind = "cancelled", outcome = cut.outcome, generation_id = cut.generation_id, operation = cut.operation,
    message = message,
  })
  return runtime.cut(creations.failure(group._notes, message, err, group.results))
end

local TABLE = { type = "table", required = true }

--- Runs functions beside each other and waits for all. The first failure cancels the others.
---@param list function[]
---@return any[]? results each one's first value, in the list's order; of the first that failed, nil, message, err; what one raised is raised again, with its traceback
---@return string? message
---@return devkit4ai.Error? err
function M.all(list)
  runtime.check_wait()
  validate.value("devkit4ai.all", TABLE, list)
  for i, fn in ipairs(list) do validate.value(("devkit4ai.all: [%d]"):format(i), FUNCTION, fn) end
  local group = new_group()
  local function ended(task)
    if not group.failed and (task._failed or is_failure(task._results)) then group.failed = task end
  end
  for i, fn in ipairs(list) do add(group, i, ended, fn) end
  local going, message, err = wait_for_group(group, "devkit4ai.all")
  if not going then return nil, message, err end
  local failed = group.failed
  if failed and failed._failed then
    failed._fate.heard = true
    error(creations.raised(group._notes, failed._error, failed._text), 0)
  elseif failed then
    return creations.failure(group._notes, failed._results[2], failed._results[3], group.results)
  end
  return group.results
end

-- What an item's failure is: its err, or where it gave none or raised, one that has the words.
local function failure_of(task)
  local err = task._results and task._results[3]
  if type(err) == "table" then return err end
  if task._failed then task._fate.heard = true end
  if errors.is(task._error) then return task._error end
  local message = task._text or tostring(task._results[2])
  local _, _, told = errors.fail({ kind = "failed", outcome = "unknown", message = message })
  return select(3, creations.failure(task._notes, message, told))
end

local MAP = { concurrency = { type = "number" } }
local WIDTH = 8 -- items at a time, where the caller does not say

--- Runs fn(item, i) for each item of a list, so many at a time. One that fails leaves the others alone.
---@param list any[]
---@param options { concurrency: integer? }? default 8 at a time
---@param fn fun(item: any, i: integer): any?, string?, devkit4ai.Error?
---@return any[]? results results[i]: the first value of item i; nil, if the task that calls was cancelled, which cancels the rest
---@return table<integer, devkit4ai.Error>|string failures failures[i]: the err of item i, with the ids of the generations that were created in it; one that it raised has kind `failed` and the traceback as its message
---@return devkit4ai.Error? err where results is nil
function M.map(list, options, fn)
  runtime.check_wait()
  validate.value("devkit4ai.map: list", TABLE, list)
  local width = validate.arguments("devkit4ai.map", MAP, options).concurrency or WIDTH
  validate.value("devkit4ai.map: fn", FUNCTION, fn)
  if width < 1 or width % 1 ~= 0 then errors.raise("devkit4ai.map: concurrency: give a whole number, 1 or more") end
  local group, failures, begun = new_group(), {}, 0
  local function begin()
    begun = begun + 1
    local i = begun
    add(group, i, function(task)
      group.tasks[i] = nil
      if task._failed or is_failure(task._results) then failures[i] = failure_of(task) end
      if begun < #list and not group.stopped then begin() end
    end, fn, list[i], i)
  end
  while begun < math.min(width, #list) do begin() end
  local going, message, err = wait_for_group(group, "devkit4ai.map")
  if not going then return nil, message, err end
  return group.results, failures
end

return M
