--- Coroutines that wait in copas 4, which has timers and wakes coroutines.
local copas = require "copas"
local core = require "devkit4ai.core"
local task = require "devkit4ai.loop.hosts.copas_task"
local tasks = require "devkit4ai.loop.tasks"

local M = { start = copas.addthread }

local create, resume, status, huge, now = coroutine.create, coroutine.resume, coroutine.status, math.huge, core.now
local pause, pause_forever, wake_up = copas.pause, copas.pauseforever, copas.wakeup
local coxpcall = package.loaded.coxpcall -- on Lua 5.1: a coroutine may be that of a protected call
local running = coxpcall and coxpcall.running or coroutine.running
local thread_of = setmetatable({}, { __mode = "k" }) -- task -> the thread that its coroutine runs in

-- The caller's coroutine, as copas knows it.
local function current_thread()
  local co = running()
  local runnable = tasks.of(co)
  return runnable and thread_of[runnable] or co
end

--- Suspends the caller until the slot is woken or the time is up; a wake before the park counts.
---@param slot devkit4ai.loop.Slot
---@param seconds number math.huge: no limit
---@return boolean woken
function M.park(slot, seconds)
  local due = seconds < huge and now() + seconds
  slot.co = current_thread()
  while not slot.woken do -- somebody else may resume the coroutine
    if due then pause(seconds) else pause_forever() end
    seconds = due and due - now()
    if due and seconds <= 0 then break end
  end
  slot.co = nil
  local woken = slot.woken or false
  slot.woken = false
  return woken
end

--- Wakes a slot. Never yields, never runs user code.
---@param slot devkit4ai.loop.Slot
function M.wake(slot)
  slot.woken = true
  if slot.co then wake_up(slot.co) end
end

local function begin(fn, runnable)
  thread_of[runnable] = running()
  task.run(fn, runnable)
end

--- Runs fn(runnable) in a thread of its own.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable
---@param at_once boolean? fn starts now, and the caller goes on when fn waits
---@return boolean
function M.spawn(fn, runnable, at_once)
  if not at_once then
    copas.addthread(begin, fn, runnable)
    return true
  end
  local thread = create(begin)
  local _, value, queue = resume(thread, fn, runnable)
  if status(thread) == "suspended" then -- as copas does with a thread that waits
    queue:insert(value)
    queue:push(value, thread)
  end
  return true
end

--- From now on this is the engine: the first one, or that of a forked child.
function M.use()
  task.check_process()
end

--- Whether the pump has to run in the next turn: copas runs what is woken by itself.
---@return boolean
function M.is_ready()
  return false
end

--- Whether there has to be a pump.
---@param engine userdata
---@return boolean
function M.need_pump(engine)
  return engine:pending() > 0
end

--- Takes what the engine has finished.
---@param drain fun()
function M.run(drain)
  drain()
end

return M
