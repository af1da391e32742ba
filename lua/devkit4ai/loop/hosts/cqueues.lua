--- The event loop of cqueues: callers wait in the coroutines of its controllers. Each controller with waiters has a pump.
local auxlib = require "cqueues.auxlib"
local condition = require "cqueues.condition"
local core = require "devkit4ai.core"
local cqueues = require "cqueues"
local runner = require "devkit4ai.loop.hosts.runner"
local tasks = require "devkit4ai.loop.tasks"
local traceback = require "devkit4ai.util.errors.traceback"
local yields = require "devkit4ai.loop.hosts.yields"

local M = {}

local create, status, yield, resume = coroutine.create, coroutine.status, coroutine.yield, auxlib.resume
local unpack = table.unpack or unpack -- luacheck: ignore 113
local now, huge = core.now, math.huge
local running, new_condition = cqueues.running, condition.new
local POLL = cqueues._POLL -- what cqueues.poll yields first, see cqueues.auxlib; poll itself would ask again what park knows
local START = "the loop cqueues: call it in a coroutine of a controller: local cq = cqueues.new(); "
  .. "cq:wrap(function() ... end); assert(cq:loop())"
local NESTED = "this coroutine runs inside another one and can't wait by itself: start it with cq:wrap or "
  .. "devkit4ai.spawn"
local YIELDED = "a callback yielded by itself, and nothing would ever resume it; call a function that waits instead"

---@class devkit4ai.loop.CqueuesWaiters those of one controller
---@field count integer
---@field pumping boolean
---@field changed userdata a condition that wakes the pump

local engine, drain -- of M.watch
local event -- the engine's descriptor, for cqueues.poll
local waiters_of -- by controller: devkit4ai.loop.CqueuesWaiters
local idle = {} -- conditions that no caller waits for: making and collecting one takes longer than a wait
local MOST_IDLE = 1000
local last_parked -- the condition of the last park
local apart = cqueues.new() -- the controller of detached functions; the pumps of all others step it
local stepping = false -- a pump steps it

--- Whether the caller can wait here and now.
---@return boolean? usable
---@return string? why not
function M.usable()
  local controller, is_its_coroutine = running()
  if not controller then return nil, START end
  -- a program that has replaced coroutine.resume, as cqueues describes, may wait in coroutines inside
  if not (is_its_coroutine or tasks.current() or coroutine.resume == resume) then return nil, NESTED end
  return yields.check()
end

--- From now on a thread steps the engine; the pumps watch its descriptor.
---@param its_engine userdata
---@param its_drain fun() takes the finished transfers
function M.watch(its_engine, its_drain)
  if its_engine ~= engine then -- the first one, or that of a forked child
    engine, drain, event, waiters_of = its_engine, its_drain, nil, setmetatable({}, { __mode = "k" })
    assert(engine:start()) -- before a submit: without a descriptor for the thread, the submit then fails, and nothing is sent
  end
  if event or engine:pending() == 0 then return end
  event = { pollfd = assert(engine:fd()), events = "r" }
end

-- ---- the pump ----

local function step_apart()
  if stepping then return end -- by a pump in a controller that a detached function runs
  stepping = true
  apart:step(0)
  stepping = false
end

-- Ends when its controller has no waiters, and when there is nothing to wait for: the controller's loop can end, too.
local function pump(waiters)
  local its_engine = engine
  while engine == its_engine and waiters.count > 0 do
    local is_apart = not apart:empty()
    if not is_apart and engine:pending() == 0 then break end
    yield(POLL, waiters.changed, event, is_apart and apart or nil)
    if engine ~= its_engine then break end
    if engine:ready() then drain() end
    if is_apart then step_apart() end
  end
  waiters.pumping = false
end

local function waiters_in(controller)
  local waiters = waiters_of[controller]
  if not waiters then
    waiters = { count = 0, pumping = false, changed = new_condition() }
    waiters_of[controller] = waiters
  end
  return waiters
end

local function begin_wait(controller)
  local waiters = waiters_in(controller)
  waiters.count = waiters.count + 1
  if not waiters.pumping and controller ~= apart and (engine:pending() > 0 or not apart:empty()) then
    controller:wrap(pump, waiters)
    waiters.pumping = true -- last: there may be no memory for the pump
  end
  return waiters
end

local function end_wait(waiters)
  waiters.count = waiters.count - 1
  if waiters.count == 0 and waiters.pumping then waiters.changed:signal() end
end

-- ---- waiting ----

--- Suspends the caller until the slot is woken or the time is up; a wake before the park counts.
---@param slot devkit4ai.loop.Slot
---@param seconds number math.huge: no limit
---@return boolean woken
function M.park(slot, seconds)
  if slot.woken then
    slot.woken = false
    return true
  end
  local due = seconds < huge and now() + seconds or nil
  local waiters = begin_wait(running())
  local last = #idle
  local woken = idle[last] or new_condition()
  idle[last] = nil
  slot.condition = woken
  repeat -- somebody else may resume the coroutine
    last_parked = woken
    yield(POLL, woken, due and seconds)
    seconds = due and due - now()
  until slot.woken or due and seconds <= 0
  slot.condition = nil
  if #idle < MOST_IDLE then idle[#idle + 1] = woken end
  end_wait(waiters)
  local is_woken = slot.woken or false
  slot.woken = false
  return is_woken
end

--- Wakes a slot. Never yields, never runs user code.
---@param slot devkit4ai.loop.Slot
function M.wake(slot)
  slot.woken = true
  if slot.condition then slot.condition:signal() end
end

-- ---- tasks ----

-- Runs fn in the caller's stack until it first waits; from then on the controller runs it.
local function run_now(controller, fn, runnable)
  local co = create(runner.run)
  local function goes_on(is_waiting, ...)
    if status(co) == "dead" then return end
    local polled = { n = select("#", ...), ... }
    local is_parked = is_waiting and polled[1] == last_parked
    controller:wrap(function()
      if is_parked then resume(co) -- it may have been woken before this function began; park looks
      elseif is_waiting then resume(co, yield(POLL, unpack(polled, 1, polled.n))) end
      if status(co) == "dead" then return end
      tasks.remove(co)
      runnable:yielded(traceback.of(co, YIELDED))
    end)
  end
  local function first(_, value, ...) goes_on(value == POLL, ...) end
  first(coroutine.resume(co, fn, runnable))
end

--- Runs fn as a task of the caller.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable
---@param at_once boolean? fn starts now, and the caller goes on when fn first waits
---@return boolean? started
---@return string? why not
function M.spawn(fn, runnable, at_once)
  local controller = running()
  if not controller then return nil, START end
  if at_once then run_now(controller, fn, runnable) else controller:wrap(runner.run, fn, runnable) end
  return true
end

--- Runs fn apart from the caller's controller: if that one does not run any more, the pump of another one goes on with fn.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable
---@return boolean? started
---@return string? why not
function M.detach(fn, runnable)
  local controller = running()
  if not controller then return nil, START end
  local waiters = waiters_in(controller)
  apart:wrap(function()
    runner.run(fn, runnable)
    end_wait(waiters)
  end)
  begin_wait(controller)
  waiters.changed:signal() -- a pump that began before does not step `apart` yet
  return true
end

return M
