--- Tasks: functions that run beside each other; each one waits without the others.
local creations = require "devkit4ai.util.errors.creations"
local engine = require "devkit4ai.loop.engine"
local errors = require "devkit4ai.util.errors"
local log = require "devkit4ai.util.log"
local object = require "devkit4ai.util.object"
local host = require "devkit4ai.loop.host"
local tasks = require "devkit4ai.loop.tasks"
local validate = require "devkit4ai.util.validate"
local waits = require "devkit4ai.loop.waits"

local unpack = table.unpack or unpack -- luacheck: ignore 113

---@class devkit4ai.Task
---@field done boolean it has ended: join returns at once
local Task = {}
Task.__name = "devkit4ai.Task"

---@class devkit4ai.loop.Task: devkit4ai.loop.Waits the private record of a task; what follows belongs to this module
---@field done boolean it has ended
---@field _object devkit4ai.Task? the user's; the tasks of all and map have none
---@field _fn function? until it starts, or is cancelled before
---@field _args table? of fn
---@field _results table? what fn returned, packed
---@field _raised { error: any, text: string }? fn raised
---@field _joined { [1]: boolean }? whether a caller has seen what it raised
---@field _joiners devkit4ai.loop.Slot[]? woken at its end
---@field _waits_for devkit4ai.loop.Task[]? tasks that it joins
---@field _on_end function? of its group
---@field _group_of devkit4ai.loop.Group? the group that it belongs to
---@field _client devkit4ai.Client? the client of its last call
local Record = {}
Record.__index = Record

local M = {}

local function pack(...)
  return { n = select("#", ...), ... }
end

-- ---- the end of a task ----

local newproxy = rawget(_G, "newproxy") -- of Lua 5.1 and LuaJIT, which finalize userdata alone

-- An object that calls fn when it is collected.
local function finalizer(fn)
  local proxy = newproxy and newproxy(true)
  if not proxy then return setmetatable({}, { __gc = fn }) end
  getmetatable(proxy).__gc = fn
  return proxy
end

local function report(client, text)
  local trace = client and client._trace
  if trace then return trace:emit({ type = "task_failed", message = text }, client._secrets) end
  log.write("a task failed: " .. text, true)
end

-- When a task that failed is collected and nobody has joined it, its traceback goes to the client of its last call, and to
-- standard error where that client reports nothing.
local function report_unless_joined(task, text)
  local joined, client = { false }, task._client
  task._joined = joined
  task._finalizer = finalizer(function()
    if not joined[1] then report(client, text) end
  end)
end

local NOTHING = { outcome = "not_sent", message = "nothing was in progress" } -- when it was cancelled

-- The results of a cancelled task: the failure that its function returned, or the most serious one of its calls. Where it
-- raised, then mostly for that failure, as assert does.
local function cancelled_results(task, text, err)
  local failure = errors.is(err) and err or task._cancellation and task._cancellation.failure or NOTHING
  local message = "the task was cancelled: " .. failure.message
  if text and not text:find(failure.message, 1, true) then message = ("%s; then it raised %s"):format(message, text) end
  local fields = {}
  for name, value in pairs(failure) do fields[name] = value end
  fields.kind, fields.message = "cancelled", message
  local _, _, told = errors.fail(fields)
  return pack(creations.failure(task._creations, message, told))
end

local function finish(task, results)
  if task.done then return end
  if results then task._results = results end -- before it is done, and nothing after it: they may find no memory
  task.done = true
  if task._object then task._object.done = true end
  for i = 1, task._joiners and #task._joiners or 0 do host.wake(task._joiners[i]) end
  if task._on_end then task:_on_end() end
end

-- Whether a function returned nil, message, err.
local function is_failure(results)
  return results ~= nil and results[1] == nil and results[2] ~= nil
end

local function ended_a_wait(task)
  return task._cancellation ~= nil and task._cancellation.ended_a_wait
end

local function run(task)
  local fn, args = task._fn, task._args
  task._fn, task._args = nil, nil
  if not fn then return end -- cancelled before it ran
  local results = args and pack(fn(unpack(args, 1, args.n))) or not args and pack(fn())
  if ended_a_wait(task) and results[1] == nil then
    results = cancelled_results(task, nil, results[3])
  elseif task._creations and is_failure(results) then
    results = pack(creations.failure(task._creations, results[2], results[3]))
  end
  finish(task, results)
end

--- Called by the loop when its function raised.
---@param value any
---@param traceback string
function Record:failed(value, traceback)
  local text = self._client and self._client._secrets:mask(traceback) or traceback
  waits.abandon(self)
  if ended_a_wait(self) then return finish(self, cancelled_results(self, text, value)) end
  self._raised = {
    error = creations.raised(self._creations, value, text), text = creations.name(text, self._creations),
  }
  report_unless_joined(self, self._raised.text)
  finish(self)
end

--- Called by the loop when its function yielded by itself.
---@param text string
function Record:yielded(text)
  self:failed(text, text)
end

--- Called by the loop in a forked child: the parent goes on with the task.
function Record:left()
  self._fn, self._args = nil, nil
  if self._group_of then self._group_of.stopped = true end
  finish(self, pack(errors.refuse("config", "the task belongs to the process that this one was forked from; it goes on "
    .. "there; spawn a task in this process")))
end

--- Called when a cancelled task does not end.
function Record:given_up()
  finish(self, cancelled_results(self))
end

--- Cancels it: task:cancel(), and the end of an all or map.
function Record:cancel()
  if self.done or self._cancellation then return end
  waits.cancel(self)
  if self._fn then
    self._fn, self._args = nil, nil
    finish(self, cancelled_results(self))
  end
end

-- ---- the user's object ----

local function record_of(task, name)
  local object_record = getmetatable(task)
  if type(object_record) ~= "table" or getmetatable(object_record) ~= Task.__record then
    errors.raise(("task:%s: call it with a colon, on a task"):format(name))
  end
  return object_record._record
end

--- Starts a task without a user's object. Raises at the caller's line where the host can't start one.
---@param fn function
---@param ... any
---@return devkit4ai.loop.Task
function M.start(fn, ...)
  local task = setmetatable({ done = false, _fn = fn, _args = select("#", ...) > 0 and pack(...) or nil }, Record)
  local started, why = host.spawn(run, task)
  if not started then errors.raise(why) end
  return task
end

--- Whether the function of a task that has ended raised, or returned nil, message, err.
---@param task devkit4ai.loop.Task
---@return boolean
function M.has_failed(task)
  return task._raised ~= nil or is_failure(task._results)
end

--- The error that a task raised. A caller that takes it has joined the task.
---@param task devkit4ai.loop.Task
---@return { error: any, text: string }? raised
function M.raised(task)
  if task._raised then task._joined[1] = true end
  return task._raised
end

local FUNCTION = { type = "function", required = true }

--- Runs fn(...) beside the caller, from the next time that the program waits or updates.
---@param fn function
---@param ... any
---@return devkit4ai.Task
function M.spawn(fn, ...)
  validate.value("devkit4ai.spawn", FUNCTION, fn)
  local task = M.start(fn, ...)
  task._object = object.new(Task, { done = false }, { _record = task })
  return task._object
end

-- Whether a task waits for another one, itself or through those that it waits for. seen: the tasks that were checked.
local function waits_for(task, wanted, seen)
  if task == wanted then return true end
  seen[task] = true
  for _, other in pairs(task._waits_for or {}) do
    if not (other.done or seen[other]) and waits_for(other, wanted, seen) then return true end
  end
  return false
end

local function wait_for_end(task)
  local joiner, slot = tasks.current(), {}
  if joiner == task then errors.raise("task:join: a task can't wait for its own end") end
  if joiner and waits_for(task, joiner, {}) then
    errors.raise("task:join: that task waits for this one, so both would wait for ever; join one of them elsewhere")
  end
  task._joiners = task._joiners or {}
  table.insert(task._joiners, slot)
  if joiner then joiner._waits_for = { task } end
  local over = waits.wait_for(slot)
  if joiner then joiner._waits_for = nil end
  return over
end

--- Waits for the end of the task.
--- ```lua
--- local task = devkit4ai.spawn(function() return 1, 2 end)
--- print(task:join()) --> 1 2
--- ```
---@return any ... what its function returned. An error in it is raised again: a text with its traceback, another value as it is, or as err.cause of an error that names what the task created. Where a cancel ended the function without a value: nil, message, err of kind `cancelled`. An err of a task in which something was created names all of it, and its outcome is `unknown`; err.generation_ids: the ids
function Task:join()
  local task, joiner = record_of(self, "join"), tasks.current()
  local late = joiner and joiner._cancellation -- a wait that began before the cancellation gives its result, if that came first
  while not task.done do
    if not wait_for_end(task) and (late or not task.done) then
      return errors.refuse("cancelled", "task:join: the task that waits was cancelled; the other one goes on")
    end
  end
  creations.adopt(joiner, task)
  local raised = M.raised(task)
  if raised then error(raised.error, 0) end
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
  record_of(self, "cancel"):cancel()
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
  waits.check()
  if waits.sleep(seconds < LONGEST and math.max(0, seconds) or math.huge) then return true end
  return waits.keep_failure(errors.refuse("cancelled", "devkit4ai.sleep: the task was cancelled"))
end

local UPDATE = { budget = { type = "number" } }

--- devkit4ai.update; see there.
---@param options { budget: number? }?
function M.update(options)
  local budget = options ~= nil and validate.arguments("devkit4ai.update", UPDATE, options).budget or nil
  if budget and (budget < 0 or budget ~= budget) then
    errors.raise("devkit4ai.update: budget: give seconds, 0 or more")
  end
  engine.update(budget)
end

M.NOTHING = NOTHING

return M
