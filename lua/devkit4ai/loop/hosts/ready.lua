--- Coroutines that wait, for an event loop that has no coroutines of its own (luv, copas 1.2): a queue of those that are ready,
--- and those that sleep. It needs one thing from the event loop: a timer.
local core = require "devkit4ai.core"
local runner = require "devkit4ai.loop.hosts.runner"
local tasks = require "devkit4ai.loop.tasks"
local timers = require "devkit4ai.loop.timers"
local traceback = require "devkit4ai.util.errors.traceback"

local M = {}

---@class devkit4ai.loop.ReadySlot: devkit4ai.loop.Slot
---@field is_queued boolean? it is in the queue
---@field fn function? of a coroutine that has not begun
---@field runnable devkit4ai.loop.Runnable? of that function

local arm, queue_of_yields -- given to M.use; the second one may be nil
local armed = math.huge -- when the event loop calls M.run, on the clock of core.now; 0: as soon as it can
local process -- the id of the process that the queue and the sleepers belong to
local queue, first, last = {}, 1, 0 -- slots
local sleeping, asleep = timers.new(), 0 -- slots that are parked for a time, and how many they are
local raised -- text of the errors in coroutines of the user, in this turn

local create, resume, running, status = coroutine.create, coroutine.resume, coroutine.running, coroutine.status
local yield, pcall, huge = coroutine.yield, pcall, math.huge
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local now, process_id, task_of = core.now, core.process, tasks.of
local EARLY = 1 / timers.GRAIN -- seconds; a slot may be taken out this much before its time, and a sleep must not end then

-- The inner coroutine that `runner` has on Lua 5.1 would be in the way: a callback of the user's resumes the running one.
local function run_unprotected(fn, runnable)
  local co = running()
  tasks.add(co, runnable)
  fn(runnable)
  tasks.remove(co)
end

local begin = plain_51 and run_unprotected or runner.run
local continue = resume

--- Says how to set the event loop's timer, and how it runs coroutines, if it has a way of its own. Called once.
---@param its_arm fun(seconds: number?) the event loop calls M.run after so many seconds; replaces what was set before; nil: never
---@param own { queue: table, begin: function, resume: function }? queue: a coroutine that waits yields its slot and this; begin: runs (fn, runnable), in a new coroutine; resume: as coroutine.resume
function M.use(its_arm, own)
  arm, process = its_arm, process_id()
  if own then queue_of_yields, begin, continue = own.queue, own.begin, own.resume end
end

local function set_timer(due)
  armed = due
  arm(due < huge and math.max(0, due - now()) or nil)
end

local function next_due()
  if first <= last then return 0 end
  return asleep > 0 and sleeping.first or huge -- without sleepers, a time may be left of those that were woken
end

local function push(slot)
  last = last + 1
  queue[last], slot.is_queued = slot, true
  if armed > 0 then set_timer(0) end
end

--- Suspends the caller until the slot is woken or the time is up; a wake before the park counts. Where somebody else resumes
--- the coroutine meanwhile, it goes on waiting.
---@param slot devkit4ai.loop.ReadySlot
---@param seconds number math.huge: no limit
---@return boolean woken
function M.park(slot, seconds)
  if not slot.woken then
    slot.co = running()
    if seconds < huge then
      if seconds > 0 then seconds = seconds + EARLY end
      seconds = now() + seconds -- apart: three places deeper, a C function would double the stack of most tasks that sleep
      timers.add(sleeping, slot, seconds)
      asleep = asleep + 1
      if sleeping.first < armed then set_timer(sleeping.first) end
    end
    repeat yield(queue_of_yields and slot, queue_of_yields) until not slot.co
  end
  local woken = slot.woken or false
  slot.woken = false
  return woken
end

--- Wakes a slot. Never yields, never runs user code.
---@param slot devkit4ai.loop.ReadySlot
function M.wake(slot)
  slot.woken = true
  if not slot.co or slot.is_queued then return end
  if slot.due then
    timers.remove(sleeping, slot)
    asleep = asleep - 1
  end
  push(slot)
end

-- A coroutine has ended by an error, or somebody has closed it: then it fails, if it is a task's.
local function fail(co, value)
  local task, text = task_of(co), traceback.of(co, value)
  if task then
    tasks.remove(co)
    task:failed(value, text)
  else
    raised = raised and raised .. "\n" .. text or text
  end
end

local function run(slot)
  local co = slot.co
  slot.co, slot.is_queued = nil, false
  if status(co) ~= "suspended" and not task_of(co) then return end
  local ok, value = continue(co, slot.fn, slot.runnable)
  if not ok then fail(co, value) end
end

-- A forked child has copies of its parent's coroutines, and runs none of them.
local function leave_to_parent()
  process = process_id()
  queue, first, last, sleeping, asleep = {}, 1, 0, timers.new(), 0
  tasks.leave_to_parent()
end

--- Sets the event loop's timer: called before the first wait, and after the loop has lost the timer.
function M.rearm()
  if process ~= process_id() then leave_to_parent() end
  set_timer(next_due())
end

local function take_sleepers()
  local moment = now()
  local bundle = timers.take(sleeping, moment)
  while bundle do
    for i = 1, #bundle do
      if bundle[i] then
        asleep = asleep - 1
        push(bundle[i])
      end
    end
    bundle = timers.take(sleeping, moment)
  end
end

local function turn(before)
  if process ~= process_id() then leave_to_parent() end
  armed = 0 -- what is woken now runs in this turn, without the timer
  if before then before() end
  if sleeping.first then take_sleepers() end
  armed = huge -- a coroutine that wakes another one may also run the event loop
  local stop = last -- a coroutine that becomes ready meanwhile runs in the next turn
  while first <= stop and first <= last do
    local slot = queue[first]
    queue[first] = nil
    first = first + 1
    run(slot)
  end
  if first > last then first, last = 1, 0 end -- the queue stays an array
end

--- Runs the coroutines that are ready: the event loop calls it when the timer ends, or when the engine has something. Raises
--- the errors in coroutines of the user, after all that are ready ran.
---@param before function? called first; the coroutines that it wakes run now
function M.run(before)
  local was_armed = armed
  local ok, value = pcall(turn, before)
  local due = next_due()
  if due < huge or armed < huge or was_armed < huge then set_timer(due) end
  if not ok then error(value, 0) end
  if not raised then return end
  local text = raised
  raised = nil
  error(text, 0)
end

--- Runs fn(runnable) in a coroutine of its own.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable
---@param at_once boolean? fn starts now, and the caller goes on when fn waits; default: fn starts soon
---@return boolean
function M.spawn(fn, runnable, at_once)
  if process ~= process_id() then leave_to_parent() end
  local slot = { co = create(begin), fn = fn, runnable = runnable }
  if at_once then run(slot) else push(slot) end
  return true
end

return M
