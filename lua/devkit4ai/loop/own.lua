--- How to wait where no other loop runs: scripts block here, games call update() once a frame, tasks of both yield.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local timers = require "devkit4ai.loop.timers"
local traceback = require "devkit4ai.util.traceback"

local M = {}

local engine, drain -- what M.watch was told: what to step, and who takes what is done
local jobs = setmetatable({}, { __mode = "k" }) -- our coroutines -> what M.spawn was told of each
local alive = 0 -- jobs that have not ended
local process -- the id of the process that the jobs belong to
local resumed -- the coroutine that run_ready runs now
local ready, verdicts, first, last = {}, {}, 1, 0 -- a queue: coroutines, and what park returns in each
local sleeping = timers.new() -- parked slots

local running, status, resume, yield = coroutine.running, coroutine.status, coroutine.resume, coroutine.yield
local isyieldable, huge, debug = coroutine.isyieldable, math.huge, rawget(_G, "debug")
local getinfo = debug and debug.getinfo
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local now, process_id = core.now, core.process
local EARLY = 1 / timers.GRAIN -- seconds; a timer may go off so much before its time, and a sleep must not
local BUDGET = 4 / 1000 -- seconds of an update: a quarter of a frame at 60 frames a second
local PARKED, PROBE = {}, {} -- what park and can_yield yield; anything else is a user's own yield

local function push(co, verdict)
  last = last + 1
  ready[last], verdicts[last] = co, verdict
end

-- a task of ours runs, the caller's or one further up
local function inside_task()
  if not resumed then return false end
  local state = status(resumed) -- an interrupt may have left one here that does not run any more
  return state == "running" or state == "normal"
end

-- Lua 5.1 alone: what stands between a task and its wait.
local function barrier()
  local level = 3
  local info = getinfo(level, "Sn")
  while info do
    if info.name == "(for generator)" then
      return "Lua 5.1 can't wait in a for loop's iterator inside a task: ask in a while loop, as with pages:next()"
    elseif info.what == "C" then
      return ("Lua 5.1 can't wait inside %s in a task: call it directly; what fails comes back as nil, message, err")
        :format(info.name or "a C function")
    end
    level = level + 1
    info = getinfo(level, "Sn")
  end
end

-- Whether a task can be left here, told before anything is sent: a request whose waiter can't yield would be lost.
local function can_yield()
  if isyieldable then
    if isyieldable() then return true end
    return nil, "a task can't wait inside a finalizer or a function that Lua's C code calls (a sort, a gsub)"
  end
  local what = plain_51 and getinfo and barrier()
  if what then return nil, what end
  yield(PROBE) -- raises by itself where it can't
  return true
end

--- Whether the caller can wait here and now.
---@return boolean? usable
---@return string|boolean? why; or, where it can wait: whether nobody else could run meanwhile, so that it may just block
---@return table? job of the task that calls, as M.spawn got it
function M.usable()
  if alive == 0 then return true, true end
  local job = resumed and jobs[running()]
  if job then
    local can, why = can_yield()
    return can, why or false, job
  end
  if not inside_task() then return true, false end
  return nil, "this coroutine runs inside a task and can't wait by itself: start it with devkit4ai.spawn"
end

--- The job of the task that calls; nil: none does.
---@return table?
function M.job()
  return resumed and jobs[running()] or nil
end

--- Told at each submit; this loop looks at the engine whenever it waits or updates, until nothing is pending.
function M.watch(its_engine, its_drain)
  engine, drain = its_engine, its_drain
end

--- What job:failed gets of a job that yielded by itself.
M.YIELDED = "a task yielded by itself, and nobody would ever resume it; let it call what waits"

local function run(co, verdict)
  resumed = co
  local ok, why
  repeat ok, why = resume(co, verdict) until why ~= PROBE
  if why == PARKED then return end
  local job = jobs[co]
  jobs[co], alive = nil, alive - 1
  if ok and status(co) == "suspended" then
    ok, why = false, M.YIELDED
  end
  if not ok then job:failed(why, traceback.of(co, why)) end
end

-- A forked child has copies of its parent's jobs. None of them runs in it but the one that forked, if one did.
local function leave_to_parent(forked)
  process = process_id()
  local left = {}
  for co, job in pairs(jobs) do
    if co ~= forked and status(co) == "suspended" then left[co] = job end
  end
  for co, job in pairs(left) do
    jobs[co], alive = nil, alive - 1
    job:left()
  end
  local queue, said, from, to, slept = ready, verdicts, first, last, sleeping
  ready, verdicts, first, last, sleeping = {}, {}, 1, 0, timers.new()
  for i = from, to do
    if jobs[queue[i]] then push(queue[i], said[i]) end
  end
  for _, slot in ipairs(timers.all(slept)) do
    if jobs[slot.co] then timers.add(sleeping, slot, slot.due / timers.GRAIN) end
  end
end

-- Runs the jobs that are ready, until the deadline, if there is one; at least one of them.
local function run_ready(deadline)
  if process ~= process_id() then leave_to_parent() end
  local stop = last -- what becomes ready meanwhile has its turn next time
  while first <= stop and first <= last do
    local co, verdict = ready[first], verdicts[first]
    ready[first], verdicts[first] = nil, nil
    first = first + 1
    run(co, verdict)
    if process ~= process_id() then leave_to_parent(co) end
    if deadline and now() >= deadline then break end
  end
  resumed = nil
  if first > last then first, last = 1, 0 end -- the queue stays an array
end

local function wake_sleepers()
  local moment = now()
  local bundle = timers.take(sleeping, moment)
  while bundle do
    for i = 1, #bundle do
      local slot = bundle[i]
      if slot then
        push(slot.co, false)
        slot.co = nil
      end
    end
    bundle = timers.take(sleeping, moment)
  end
end

-- Lets tasks run and the engine step until the slot is woken or the time is up: how the main thread waits.
local function pump(slot, seconds)
  local due = seconds < huge and now() + seconds
  repeat
    if first <= last then run_ready() end
    if slot.woken or first <= last then seconds = 0 end -- by a task that ran; or more became ready
    if sleeping.first then seconds = math.min(seconds, math.max(0, sleeping.first - now())) end
    drain(seconds)
    if sleeping.first then wake_sleepers() end
    seconds = due and due - now() or huge
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
  local co = resumed and running() -- no task runs: no need to ask
  if not jobs[co] then return pump(slot, seconds) end
  slot.co = co
  if seconds < huge then
    if seconds > 0 then seconds = seconds + EARLY end
    seconds = now() + seconds -- apart: three places deeper, a C function would double the stack of most tasks that sleep
    timers.add(sleeping, slot, seconds)
  end
  return yield(PARKED)
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

-- A new job's coroutine.
local function enter(fn, job)
  if alive == 0 then process = process_id() elseif process ~= process_id() then leave_to_parent() end
  local co = coroutine.create(fn)
  jobs[co] = job
  alive = alive + 1
  return co
end

--- Runs fn(job) as a task.
---@param fn fun(job: table)
---@param job table its job:failed(why, traceback) is called when fn raises, its job:left() in a forked child that does not run it
---@return boolean
function M.spawn(fn, job)
  push(enter(fn, job), job)
  return true
end

--- Runs fn(job) at once, apart from the caller. In a task it may wait: then the caller goes on, and fn later. In a script fn
--- blocks, as all of it does.
---@param fn fun(job: table)
---@param job table job:failed(why, traceback) is called when fn raises
function M.call(fn, job)
  if not M.job() then
    local co = coroutine.create(fn)
    local ok, why = resume(co, job)
    if ok and status(co) == "suspended" then ok, why = false, M.YIELDED end
    if not ok then job:failed(why, traceback.of(co, why)) end
    return
  end
  local caller = resumed
  run(enter(fn, job), job)
  resumed = caller
end

--- Ends the task that calls: nothing resumes it any more.
function M.stop()
  jobs[running()] = nil
  alive = alive - 1
  yield(PARKED)
end

--- A slot whose wait was ended by an error: nothing wakes it any more.
function M.release(slot)
  timers.remove(sleeping, slot)
  slot.co, slot.woken = nil, nil
end

--- Runs fn apart from the caller; here the same as a task.
M.detach = M.spawn

--- One frame: never waits. Raises at the caller's line inside a task.
---@param budget number? seconds; a task that is ready when they are over has its turn in the next frame
function M.update(budget)
  if inside_task() then
    errors.raise("devkit4ai.update: call it in the program, once a frame, and not in a task, which goes on by itself")
  end
  if engine:ready() then drain() end
  if sleeping.first then wake_sleepers() end
  if first <= last then run_ready(now() + (budget or BUDGET)) end
end

return M
