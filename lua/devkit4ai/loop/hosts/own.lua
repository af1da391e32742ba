--- The event loop of scripts and games: a script blocks in the engine, a game calls update() once a frame, tasks yield.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local lazy = require "devkit4ai.util.lazy"
local tasks = require "devkit4ai.loop.tasks"
local timers = require "devkit4ai.loop.timers"
local traceback = lazy.module "devkit4ai.util.errors.traceback"
local yields = lazy.module "devkit4ai.loop.hosts.yields"

local M = { blocks = true }

local engine, drain -- given to M.watch: the engine to step, and the function that takes its finished transfers
local process -- the id of the process that the tasks belong to
local resumed -- the coroutine that run_ready runs now
local untold, untold_co, untold_value -- a task whose function raised the value, until the task is told
-- A queue in a ring of `room` places, `queued` of them in use from `first` on: coroutines, and what park returns in each. There is
-- room for every task: a wake needs no memory, so none is lost for a lack of it.
local ready, results, first, queued, room = {}, {}, 1, 0, 0
local sleeping = timers.new() -- slots that are parked for a time

local running, status, resume, yield = coroutine.running, coroutine.status, coroutine.resume, coroutine.yield
local isyieldable, huge = coroutine.isyieldable, math.huge
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local now, process_id, task_of, task_count = core.now, core.process, tasks.of, tasks.count
local EARLY = 1 / timers.GRAIN -- seconds; a timer may end this much before its time, and a sleep must not
local BUDGET = 5 / 100000 -- seconds of an update; bench/run F3 shows what a frame then takes in which 100 tasks end
local STEPS = not core.threads -- in a build without threads, an update steps the engine
local LONGEST_STEP = 1 / 10 -- seconds; a finalizer's call may take a response that the engine's next step would wait for
-- What park and can_yield yield, so that a yield of the user's own is told apart. A flag would stay set after Ctrl-C.
local PARKED, PROBE = {}, {}
local YIELDED = "a task yielded by itself, and nothing would ever resume it; call a function that waits instead"

-- Makes room for more tasks. What allocates comes first: a finalizer may use the queue meanwhile.
local function grow()
  local new_ready, new_results, size = {}, {}, room > 0 and 2 * room or 1
  for i = 1, size do new_ready[i], new_results[i] = false, false end
  if size <= room then return end -- a finalizer's task made room
  for i = 1, queued do
    local at = first + i - 1
    if at > room then at = at - room end
    new_ready[i], new_results[i] = ready[at], results[at]
  end
  ready, results, first, room = new_ready, new_results, 1, size
end

local function push(co, result)
  while queued == room do grow() end -- as for a task that is woken twice: an error had ended a wait of it
  local at = first + queued
  if at > room then at = at - room end
  ready[at], results[at], queued = co, result, queued + 1
end

local function pop()
  local at = first
  local co, result = ready[at], results[at]
  ready[at], results[at] = false, false
  first, queued = at < room and at + 1 or 1, queued - 1
  return co, result
end

-- Resumes a task's coroutine next, unless the task has ended, or has caught the error that ended its wait, and runs. A dead
-- coroutine is one that the program closed: its task fails.
local function push_waiting(co, result)
  local state = task_of(co) and status(co)
  if state == "suspended" or state == "dead" then push(co, result) end
end

-- Whether a task runs now: the caller's, or one further up.
local function inside_task()
  if not resumed then return false end
  local state = status(resumed) -- an interrupt may have left one here that does not run any more
  return state == "running" or state == "normal"
end

-- Whether the running task can yield. It is checked before anything is sent: without its waiter, a response would be lost.
local function can_yield()
  if isyieldable then
    if isyieldable() then return true end
    return nil, "a task can't wait inside a finalizer or a function that Lua's C code calls (a sort, a gsub)"
  end
  local what = plain_51 and yields.barrier(1)
  if what then return nil, what end
  yield(PROBE) -- raises by itself where it can't
  return true
end

--- Whether the caller can wait here and now.
---@return boolean? usable
---@return string? why not
function M.usable()
  if not resumed then return true end
  if task_of(running()) then return can_yield() end
  if not inside_task() then return true end
  return nil, "this coroutine runs inside a task and can't wait by itself: start it with devkit4ai.spawn"
end

--- This loop steps the engine whenever it waits or updates.
---@param its_engine userdata
---@param its_drain fun(seconds: number?, deadline: number?) see engine.drain
function M.watch(its_engine, its_drain)
  engine, drain = its_engine, its_drain
end

-- Tells a task that its function raised. Where this finds no memory, the next frame or wait does it again.
local function tell()
  untold:failed(untold_value, traceback.of(untold_co, untold_value))
  untold, untold_co, untold_value = nil, nil, nil
end

local function run(co, result)
  resumed = co
  local ok, value
  repeat ok, value = resume(co, result) until value ~= PROBE
  if value == PARKED then return end
  local task = task_of(co)
  tasks.remove(co)
  if not ok then
    untold, untold_co, untold_value = task, co, value
    tell()
  elseif status(co) == "suspended" then task:yielded(traceback.of(co, YIELDED)) end
end

-- A forked child has copies of its parent's tasks. It runs none of them but the one that forked, if one did.
local function leave_to_parent(forked)
  process = process_id()
  tasks.leave_to_parent(forked)
  for _ = 1, queued do -- each one once around the ring
    local co, result = pop()
    if task_of(co) then push(co, result) end
  end
  local slept = sleeping
  sleeping = timers.new()
  for _, slot in ipairs(timers.all(slept)) do
    if task_of(slot.co) then timers.add(sleeping, slot, slot.due / timers.GRAIN) end
  end
end

-- Runs the tasks that are ready, until the deadline, if there is one; at least one of them.
local function run_ready(deadline)
  if process ~= process_id() then leave_to_parent() end
  if untold then tell() end
  local left = queued -- a task that becomes ready meanwhile runs the next time
  while left > 0 and queued > 0 do
    left = left - 1
    local co, result = pop()
    run(co, result)
    if process ~= process_id() then leave_to_parent(co) end
    if deadline and now() >= deadline then break end
  end
  resumed = nil
end

-- Wakes the sleepers that are due; there are some.
local function wake_sleepers(moment)
  if sleeping.first > moment then return end
  local bundle = timers.take(sleeping, moment)
  while bundle do
    for i = 1, #bundle do
      local slot = bundle[i]
      local co = slot and slot.co
      if co then
        slot.co = nil
        push_waiting(co, false)
      end
    end
    bundle = timers.take(sleeping, moment)
  end
end

-- Runs tasks and steps the engine until the slot is woken or the time is up: how the main thread waits.
local function pump(slot, seconds)
  local due = seconds < huge and now() + seconds
  repeat
    if queued > 0 or untold then run_ready() end
    if slot.woken or queued > 0 then seconds = 0 end -- by a task that ran; or more became ready
    if sleeping.first then seconds = math.min(seconds, math.max(0, sleeping.first - now())) end
    drain(seconds < LONGEST_STEP and seconds or LONGEST_STEP)
    if sleeping.first then wake_sleepers(now()) end
    seconds = due and due - now() or huge
  until slot.woken or seconds <= 0
  local woken = slot.woken or false
  slot.woken = false
  return woken
end

--- Suspends the caller until the slot is woken or the time is up; a wake before the park counts.
---@param slot devkit4ai.loop.Slot
---@param seconds number math.huge: no limit
---@return boolean woken
function M.park(slot, seconds)
  if slot.woken then
    slot.woken = false
    return true
  end
  local co = resumed and running() -- without a task that runs there is no need to ask
  if not (co and task_of(co)) then return pump(slot, seconds) end
  slot.co = co
  if seconds < huge then
    if seconds > 0 then seconds = seconds + EARLY end
    seconds = now() + seconds -- apart: three places deeper, a C function would double the stack of most tasks that sleep
    timers.add(sleeping, slot, seconds)
  end
  return yield(PARKED)
end

--- Wakes a slot. Never yields, never runs user code. Where an error has ended the wait at the slot, nothing is resumed.
---@param slot devkit4ai.loop.Slot
function M.wake(slot)
  local co = slot.co
  if not co then
    slot.woken = true
    return
  end
  timers.remove(sleeping, slot)
  slot.co = nil
  push_waiting(co, true)
end

--- Runs fn as a task of the caller.
---@param fn fun(task: devkit4ai.loop.Runnable)
---@param task devkit4ai.loop.Runnable is told how fn ended, and is its argument
---@param at_once boolean? fn starts now, and the caller goes on when fn waits; default: with the next wait or update
---@return boolean
function M.spawn(fn, task, at_once)
  if task_count() == 0 then process = process_id() elseif process ~= process_id() then leave_to_parent() end
  local co = coroutine.create(fn)
  while task_count() >= room do grow() end
  tasks.add(co, task)
  if not at_once then
    push(co, task)
    return true
  end
  local caller = resumed
  run(co, task)
  resumed = caller
  return true
end

--- Runs fn apart from the caller; in this loop the same as a task.
M.detach = M.spawn

--- Runs one frame: never waits. In a build without threads it steps the engine, once. Raises at the caller's line inside a
--- task. Where nothing is ready, it allocates nothing.
---@param budget number? seconds; a response or a task that is ready after them has its turn in the next frame
function M.update(budget)
  if inside_task() then
    errors.raise("devkit4ai.update: call it in the main program, once a frame, not in a task or its callbacks; tasks "
      .. "go on without it")
  end
  local has_response, first_due = engine:ready() or STEPS and engine:pending() > 0, sleeping.first
  if not (has_response or first_due or queued > 0 or untold) then return end
  local moment = now()
  budget = budget or BUDGET
  if has_response then drain(0, moment + budget / 2) end -- half: its last response does not run over the budget
  if first_due then wake_sleepers(moment) end
  if queued > 0 or untold then run_ready(moment + budget) end
end

return M
