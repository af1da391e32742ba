--- The event loop of luv: programs that call uv.run(), and Neovim.
local core = require "devkit4ai.core"
local ready = require "devkit4ai.loop.hosts.ready"
local uv = require "luv"
local yields = require "devkit4ai.loop.hosts.yields"

local M = { park = ready.park, wake = ready.wake }

local engine, drain -- given to M.watch
local timer, poll -- handles of the loop; nil: not needed yet
local polled, started -- the engine that `poll` watches, and the one that a thread steps
local watching = false -- `poll` keeps the loop alive
local process -- the id of the process that made the handles
local loop_fd -- the loop's descriptor

local running = coroutine.running
local is_closing, process_id = uv.is_closing, core.process

local MAIN = "the loop luv can wait in a coroutine only: start one with devkit4ai.spawn(fn) or coroutine.wrap(fn)(), "
  .. "then call uv.run(), which Neovim does by itself"
local CLOSED = "the loop of luv was closed by uv.loop_close, and luv can't make another one"
local FORKED = "this process was forked, and the loop of luv belongs to its parent; start a program instead, with "
  .. "uv.spawn"

local function on_time()
  ready.run()
end

local function new_timer()
  timer, process, loop_fd = assert(uv.new_timer()), process_id(), uv.backend_fd()
end

-- With a closed handle there is nothing to do: M.usable makes a new one, and sets it. The loop may be closed, too.
ready.use(function(seconds)
  if not timer then new_timer() end
  if is_closing(timer) then return end
  if not seconds then return uv.timer_stop(timer) end
  if seconds > 0 then uv.update_time() end -- a timer counts from when the loop last looked at its clock
  uv.timer_start(timer, math.ceil(seconds * 1000), 0, on_time)
end)

-- Takes what the engine has finished. The loop may end when nothing is pending.
local function take()
  drain()
  if engine:pending() > 0 or not watching then return end
  watching = false
  uv.unref(poll)
end

local function on_readable()
  ready.run(take)
end

local function watch_engine()
  if polled ~= engine then
    poll, polled = assert(uv.new_poll(assert(engine:fd()))), engine
    assert(uv.poll_start(poll, "r", on_readable))
  end
  watching = true
  uv.ref(poll)
end

-- After uv.loop_close, each call of luv that needs the loop would end the program by a signal.
local function is_loop_closed()
  local stat = uv.fs_fstat(loop_fd)
  return not stat or stat.type == "file" or stat.type == "socket" or stat.type == "fifo"
end

-- Makes the timer, again after the program has closed all handles of the loop.
local function open()
  if timer and not is_closing(timer) and not (poll and is_closing(poll)) then return true end
  if timer and is_loop_closed() then return nil, CLOSED, true end
  if not timer or is_closing(timer) then new_timer() end
  if poll and is_closing(poll) then
    poll, polled, watching = nil, nil, false
    if engine:pending() > 0 then watch_engine() end
  end
  ready.rearm()
  return true
end

-- Whether the loop can be used. The thread that steps the engine starts with the first transfer.
local function prepare()
  if process and process ~= process_id() then return nil, FORKED, true end
  local is_open, why, call_fails = open()
  if not is_open then return nil, why, call_fails end
  if started == engine then return true end
  local has_thread, reason = engine:start()
  if not has_thread then return nil, reason, true end
  started = engine
  return true
end

--- Whether the caller can wait here and now: in a coroutine, and the loop was not closed.
---@return boolean? usable
---@return string? why not
---@return boolean? call_fails a call then gives nil, message, err instead of raising
function M.usable()
  local co, is_main = running()
  if not co or is_main then return nil, MAIN end
  local can, why = yields.check()
  if not can then return nil, why end
  return prepare()
end

--- From the first transfer on, the loop calls its_drain soon after the engine has something, and does not end meanwhile.
---@param its_engine userdata
---@param its_drain fun()
function M.watch(its_engine, its_drain)
  engine, drain = its_engine, its_drain
  if not watching and engine:pending() > 0 then watch_engine() end
end

--- Runs fn in a coroutine of its own.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable is told how fn ended
---@param at_once boolean? fn starts now, and the caller goes on when fn waits
---@return boolean? started
---@return string? why not
function M.spawn(fn, runnable, at_once)
  local can, why = prepare()
  if not can then return nil, why end
  return ready.spawn(fn, runnable, at_once)
end

--- The same as a task: in luv, nothing ends with its caller.
M.detach = M.spawn

return M
