--- Coroutines that wait in copas 1.2: it has no timers and can't wake a coroutine, so `ready` and the engine's alarm do that.
local copas = require "copas"
local ready = require "devkit4ai.loop.hosts.ready"
local task = require "devkit4ai.loop.hosts.copas_task"

local M = { park = ready.park, wake = ready.wake, run = ready.run, spawn = ready.spawn, start = copas.addthread }

local engine -- given to M.use
local is_ready = false -- something waits to run in the next turn

-- copas gives a coroutine that has yielded a value and a queue to the queue: the thread that waits at a slot.
local PARKED = {}
function PARKED.insert() end
function PARKED.push(_, slot, thread) slot.co = thread end

local function begin(_, fn, runnable)
  task.run(fn, runnable)
end

-- An error in a coroutine of the user goes to copas' error handler.
local function resume(co, ...)
  copas.addthread(co, ...) -- it resumes a coroutine that already runs
  return true
end

-- Without an alarm, the next turn looks at the clock again.
local function arm(seconds)
  is_ready = seconds == 0 or not engine:alarm(seconds or -1)
end

ready.use(arm, { queue = PARKED, begin = begin, resume = resume })

--- From now on, the alarm of this engine is the timer.
function M.use(its_engine)
  engine = its_engine
  ready.rearm()
end

--- Whether the pump has to run in the next turn.
---@return boolean
function M.is_ready()
  return is_ready
end

--- Whether there has to be a pump. The loop of copas 1.2 never ends, so its pump needs no end.
---@return boolean
function M.need_pump()
  return true
end

return M
