--- The event loop of nginx and OpenResty. The callers are light threads, of a request or a timer; each parks at a semaphore.
---
--- A thread of its own runs the engine. It listens on a unix socket, because nginx can only connect. The pump of the worker, one
--- light thread, reads a byte from that socket for each batch of finished transfers, and wakes their callers. It lives while
--- something is pending: a pump that never ends would keep the worker from exiting.
local core = require "devkit4ai.core"
local log = require "devkit4ai.util.log"
local ngx = require "ngx"
local phases = require "devkit4ai.loop.hosts.nginx.phases"
local runner = require "devkit4ai.loop.hosts.runner"
local semaphore = require "ngx.semaphore"

local M = {}

local engine, drain -- given to M.watch
local path -- of the engine's socket; nil: it does not listen yet
local pump_thread -- coroutine of the pump; nil: it does not run
local lifeline -- a semaphore, at which a light thread of the pump waits; nil: the pump runs nothing of the user's
local started -- when a timer for the pump was started; nil: none is on its way
local queue = {} -- detached functions that the pump has to start, with their runnables
local detached = {} -- the runnables of those that run, as keys
local ended = {} -- their coroutines, when they have ended
local idle = {} -- semaphores for the next callers
local parked = setmetatable({}, { __mode = "k" }) -- by coroutine: the semaphore that it waits at

local getenv, is_yieldable, now = os.getenv, core.is_yieldable, core.now
local min, max, running = math.min, math.max, coroutine.running
local START = 1 -- seconds; nginx drops a timer without a word when too many of them run
local POLL = 1 / 20 -- seconds between two drains, while the pump has no connection or answers are not taken
local LONGEST = 1e6 -- seconds; nginx counts milliseconds in 32 bits
local CHECK = 60 -- seconds of a wait, after which the caller looks whether the pump is still there
local BEHIND = 4 / 1000 -- seconds by which nginx's clock may be late; a timer that ends too early has to be set again
local SHORTEST = 1 / 1000 -- seconds of a wait: nginx does not wait at all for less
local MOST_IDLE = 1000 -- semaphores

-- ---- where a caller can wait ----

-- Starts the engine's thread and its listener. Returns why that failed.
local function listen()
  local folder = getenv("TMPDIR")
  if not folder or folder == "" then folder = "/tmp" end
  local why
  path, why = engine:listen(folder)
  if path then return nil end
  return ("in nginx, the calls need a folder for a unix socket: %s; name a folder where the workers can write, by a "
    .. "line `env TMPDIR=/a/folder;` at the top of nginx.conf"):format(why)
end

--- Whether the caller can wait here and now.
---@return boolean? usable
---@return string? why not
---@return boolean? call_fails a call fails with this reason, and does not raise
function M.usable()
  local why = phases.why_not()
  if why then return nil, why, true end
  if is_yieldable() == false then
    return nil, "nginx can't wait inside require, or inside a function that Lua's C code calls (a sort, a gsub, a "
      .. "finalizer): make the call outside of it"
  end
  why = not path and listen()
  if why then return nil, why, true end
  return true
end

-- ---- the pump ----

-- Only a coroutine that is waited for or killed is freed before its parent ends.
local function free(threads)
  for _ = 1, #threads do
    ngx.thread.kill(table.remove(threads))
  end
end

-- Starts the light thread of the pump by which check_pump sees that the pump is there.
local function start_keeper()
  if lifeline then return end
  local sema = assert(semaphore.new(0))
  lifeline = sema
  sema.keeper = ngx.thread.spawn(function() repeat until sema:wait(LONGEST) end)
end

local function run_detached(fn, runnable)
  detached[runnable] = true
  runner.run(fn, runnable)
  detached[runnable] = nil
  ended[#ended + 1] = running()
  engine:alarm(0) -- wakes the pump
end

local function start_detached()
  free(ended)
  local waiting = queue
  queue = {}
  if waiting[1] then start_keeper() end
  for _, item in ipairs(waiting) do ngx.thread.spawn(run_detached, item.fn, item.runnable) end
end

local function is_busy()
  return engine:pending() > 0 or next(detached) ~= nil or #queue > 0
end

local function connect()
  local socket = ngx.socket.tcp()
  socket:settimeout(1000)
  local connected, why = socket:connect("unix:" .. path)
  if connected then return socket end
  return nil, why
end

-- Waits for the engine's next byte. Returns the connection, if it is still open, and why there is none.
local function wait_for_byte(socket)
  local why
  if not socket then socket, why = connect() end
  if not socket then
    ngx.sleep(POLL)
    return nil, why
  end
  socket:settimeout(LONGEST * 1000) -- nginx logs each timeout
  local _, trouble = socket:receiveany(64)
  if not trouble or trouble == "timeout" then return socket end
  socket:close()
  return nil, trouble
end

local function serve()
  local socket, why, reported
  local untaken = drain()
  start_detached()
  while untaken or is_busy() do
    if untaken then engine:alarm(POLL) end
    socket, why = wait_for_byte(socket)
    if why and not reported then
      reported = true
      log.write(("nginx can't connect to %s (%s), so each wait takes up to %g s longer"):format(path, why, POLL), true)
    end
    untaken = drain()
    start_detached()
  end
  if socket then socket:setkeepalive(0, 1) end -- it costs nothing, and ends with the worker
end

local function pump()
  if pump_thread then return end
  pump_thread, started = running(), nil
  local ok, why = pcall(serve)
  if lifeline then ngx.thread.kill(lifeline.keeper) end
  pump_thread, lifeline = nil, nil
  if not ok then log.write("the pump of nginx failed: " .. tostring(why), true) end
end

-- Returns nil and why nginx has no timer for it.
local function start_pump()
  if pump_thread or started and now() - started < START then return true end
  local ok, timer, why = pcall(ngx.timer.at, 0, pump) -- it raises where the worker has no connection left
  started = ok and timer and now() or nil
  if started then return true end
  return nil, ("nginx has no timer (%s): raise lua_max_pending_timers, worker_connections"):format(ok and why or timer)
end

-- A function of the user's that the pump runs, such as on_event, ends the pump if it calls ngx.exit. No code runs then.
local function check_pump()
  if not lifeline or lifeline:count() < 0 then return end -- the number of posts less that of waiters
  local why = "a function that the pump of nginx ran has called ngx.exit, which ended the pump"
  log.write(why, true)
  local lost = detached
  pump_thread, lifeline, detached, ended = nil, nil, {}, {}
  for runnable in pairs(lost) do runnable:failed(why, why) end
  if is_busy() then start_pump() end
end

--- The pump calls drain() soon after the engine has something, until nothing is pending.
---@param its_engine userdata
---@param its_drain fun(): boolean? takes the finished transfers; true: some are not taken by their callers yet, call it again
function M.watch(its_engine, its_drain)
  if engine ~= its_engine then engine, drain, path = its_engine, its_drain, nil end
  check_pump()
  if not pump_thread and engine:pending() > 0 then start_pump() end -- a caller that parks tries again
end

-- ---- waits ----

-- Waits until the semaphore is woken. A post without a wake is of a child that has ended.
local function wait(sema, due)
  repeat
    local pump_missing = not pump_thread and is_busy()
    local left = due - now()
    local posted, why = sema:wait(max(SHORTEST, min(left + min(left / 8, BEHIND), pump_missing and START or CHECK)))
    if posted then sema.posts = sema.posts - 1
    elseif why ~= "timeout" then error("nginx can't wait here: " .. why, 0)
    else check_pump() end
    if sema.ended then free(sema.ended) end
    if sema.is_woken then return true end
    if not posted and pump_missing and not pump_thread and is_busy() then -- its timer was refused, or dropped
      start_pump()
      drain()
    end
  until now() >= due
  return false
end

local function new_semaphore()
  local sema = assert(semaphore.new(0))
  sema.posts = 0
  return sema
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
  local sema, co = table.remove(idle) or new_semaphore(), running()
  sema.is_woken, slot.sema, parked[co] = false, sema, sema
  local woken = wait(sema, now() + seconds)
  slot.sema, parked[co] = nil, nil
  if sema.posts == 0 and #idle < MOST_IDLE then idle[#idle + 1] = sema end -- else a post came too late, and is in it
  return woken
end

local function post(sema)
  sema.posts = sema.posts + 1
  sema:post(1)
end

--- Wakes a slot. Never yields, never runs user code.
---@param slot devkit4ai.loop.Slot
function M.wake(slot)
  local sema = slot.sema
  if not sema then
    slot.woken = true
  elseif not sema.is_woken then
    sema.is_woken = true
    post(sema)
  end
end

--- Whether nginx has ended the coroutine that parked at the slot: its request is over, or it was killed.
---@param slot devkit4ai.loop.Slot
---@return boolean
function M.is_gone(slot)
  local sema = slot.sema
  return sema ~= nil and sema:count() >= sema.posts -- the number of posts less that of waiters
end

-- ---- tasks ----

-- A request never ends if one of its light threads is killed after a child of that thread has ended. So a parent that is
-- parked frees each child soon: it is woken for that.
local function end_child(parent)
  local sema = parent and parked[parent]
  if not sema then return end
  sema.ended = sema.ended or {} -- children of the caller that waits
  sema.ended[#sema.ended + 1] = running()
  post(sema)
end

local function run_child(fn, runnable, link, at_once)
  if not at_once then coroutine.yield() end -- the caller goes on until it waits
  runner.run(fn, runnable)
  link.over = true
  end_child(link.parent)
end

local WEAK = { __mode = "v" }

--- Runs fn as a task of the caller, in its request.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable is told how fn ended, and is its argument
---@param at_once boolean? fn starts now, and the caller goes on when fn waits; default: with the next wait
---@return boolean? started
---@return string? why not
function M.spawn(fn, runnable, at_once)
  local why = phases.why_not()
  if why then return nil, why end
  if is_yieldable() == false then return nil, "nginx can't start a task inside a function that Lua's C code calls" end
  local parent = running()
  if parent == pump_thread then start_keeper() end
  local link = setmetatable({ parent = parent }, WEAK)
  local co = ngx.thread.spawn(run_child, fn, runnable, link, at_once)
  if link.over then ngx.thread.kill(co) end
  return true
end

--- Runs fn apart from the caller, in the pump.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable
---@return boolean? started
---@return string? why not
function M.detach(fn, runnable)
  check_pump()
  local started_now, why = start_pump()
  if not started_now then return nil, why end
  queue[#queue + 1] = { fn = fn, runnable = runnable }
  if pump_thread then engine:alarm(0) end -- wakes it
  return true
end

return M
