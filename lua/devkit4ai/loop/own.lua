--- How to wait where no other loop runs: scripts block here, games call update() once a frame, tasks of both yield.
local core = require "devkit4ai.core"
local timers = require "devkit4ai.timers"

local M = {}

local engine, drain -- what M.watch was told: what to step, and who takes what is done
local tasks = setmetatable({}, { __mode = "k" }) -- our coroutines -> what to call when one fails
local resumed -- the coroutine that was resumed last
local ready, first, last = {}, 1, 0 -- a queue of { coroutine, what park returns }
local sleeping = {} -- a heap of parked slots

local running, huge = coroutine.running, math.huge
local PARKED = {} -- what park yields; anything else is a user's own yield
local COALESCE = 0.001 -- seconds; waking at most once a millisecond halves the cost of many sleepers (PERFORMANCE 2.14)

local function push(co, woken)
  last = last + 1
  ready[last] = { co, woken }
end

-- a task of ours runs further up, and the caller is not it
local function inside_task()
  return resumed ~= nil and coroutine.status(resumed) == "normal"
end

--- Whether the caller can wait here and now.
---@return boolean? usable
---@return string|boolean? why; or, where it can wait: whether nobody else could run meanwhile, so that it may just block
function M.usable()
  if not resumed then return true, not (sleeping[1] or ready[first]) end
  if tasks[running()] or not inside_task() then return true, false end
  return nil, "this coroutine runs inside a task and can't wait by itself: start it with devkit4ai.spawn"
end

--- Told at each submit; this loop looks at the engine whenever it waits or updates, until nothing is pending.
function M.watch(its_engine, its_drain)
  engine, drain = its_engine, its_drain
end

local function run_ready()
  local stop = last -- what becomes ready meanwhile has its turn next time
  while first <= stop do
    local co, woken = ready[first][1], ready[first][2]
    ready[first] = nil
    first = first + 1
    resumed = co
    local ok, why = coroutine.resume(co, woken)
    if ok and why ~= PARKED and coroutine.status(co) == "suspended" then
      ok, why = false, "a task yielded by itself, and nobody would ever resume it; let it call what waits"
    end
    if not ok then tasks[co](debug.traceback(co, tostring(why))) end
  end
end

local function wake_sleepers()
  local slot = sleeping[1]
  local now = core.now() + COALESCE
  while slot and slot.due <= now do
    timers.remove(sleeping, slot)
    if slot.co then push(slot.co, false) end
    slot.co = nil
    slot = sleeping[1]
  end
end

-- Lets tasks run and the engine step until the slot is woken or the time is up: how the main thread waits.
local function pump(slot, seconds)
  local due = seconds < huge and core.now() + seconds
  repeat
    if first <= last then run_ready() end
    if slot.woken or first <= last then seconds = 0 end -- by a task that ran; or more became ready
    if sleeping[1] then seconds = math.min(seconds, math.max(0, sleeping[1].due - core.now())) end
    drain(seconds)
    if sleeping[1] then wake_sleepers() end
    seconds = due and due - core.now() or huge
  until slot.woken or seconds <= 0
  local woken = slot.woken
  slot.woken = false
  return woken
end

--- Suspends the caller until the slot is woken or the time is up; a wake before the park counts.
---@param slot table
---@param seconds number math.huge: no limit
---@return boolean woken
function M.park(slot, seconds)
  if slot.woken then
    slot.woken = false
    return true
  end
  local co = resumed and running() -- no task yet: no need to ask
  if not tasks[co] then return pump(slot, seconds) end
  slot.co = co
  if seconds < huge then timers.add(sleeping, slot, core.now() + seconds) end
  return coroutine.yield(PARKED)
end

--- Wakes a slot; never yields, never runs user code.
function M.wake(slot)
  if not slot.co then
    slot.woken = true
    return
  end
  timers.remove(sleeping, slot)
  push(slot.co, true)
  slot.co = nil
end

--- Runs fn as a task. failed(text): called when it raises, with the error and its traceback.
---@return boolean
function M.spawn(fn, failed)
  local co = coroutine.create(fn)
  tasks[co] = failed
  push(co)
  return true
end

--- Runs fn apart from the caller; here the same as a task.
M.detach = M.spawn

--- One frame: never waits.
function M.update()
  if engine:ready() then drain() end
  if sleeping[1] then wake_sleepers() end
  run_ready()
end

return M
