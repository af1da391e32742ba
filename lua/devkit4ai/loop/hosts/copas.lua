--- The event loop of copas: callers wait in its threads and in the handlers of its servers. Debian's copas 1.2, and copas 4.
local copas = require "copas"
local socket = require "socket"
local yields = require "devkit4ai.loop.hosts.yields"
-- How its coroutines wait. copas 4 has timers and can wake a coroutine; 1.2 has neither.
local threads = require(copas.pauseforever and "devkit4ai.loop.hosts.copas_4" or "devkit4ai.loop.hosts.copas_1")

local M = { park = threads.park, wake = threads.wake }

local engine, drain -- given to M.watch
local opened -- the engine that a thread steps
local pumped -- the engine that the pump watches; nil: there is no pump
local fd -- descriptor of `opened`

local running = coroutine.running
local LIMIT = socket._SETSIZE or 1024 -- select(2) takes only descriptors below this

local MAIN = "the loop copas can wait in a coroutine of copas only: start one with copas.addthread(fn) or "
  .. "devkit4ai.spawn(fn), then call copas.loop()"
local NONE_LEFT = "no descriptor or thread is left for the library; close unused files and sockets, or raise the limit "
  .. "of open files"
local TOO_LARGE = "copas uses select, which takes only descriptors below %d, and this process has more open files: the "
  .. "library got %d. Make its first call before the program opens so many files and connections"

-- An object that copas selects as if it were a socket, readable when the engine has something.
local function new_event(its_engine)
  local event, its_fd, has_waited = {}, fd, true
  function event.getfd() return its_fd end
  function event.dirty() return threads.is_ready() or its_engine:forked() end
  -- copas.receive calls it before and after it waits. It waits each time, so that the program's sockets have their turn.
  function event.receive()
    has_waited = not has_waited
    if has_waited then return true end
    return nil, "timeout"
  end
  -- copas.cancelall calls it, and copas 1.2 at the end of the pump.
  function event.close()
    if pumped == its_engine then pumped = nil end
  end
  return event
end

-- Ends when there is nothing to wait for, so that the program's loop can end, too.
local function pump(event, its_engine)
  while its_engine == engine and not its_engine:forked() and threads.need_pump(engine) do
    copas.receive(event)
    if its_engine == engine then threads.run(drain) end
  end
  event.close()
end

local function start_pump()
  if pumped == engine or not threads.need_pump(engine) then return end
  local its_engine = engine
  threads.start(function() pump(new_event(its_engine), its_engine) end)
  pumped = its_engine -- last: an error of a debug hook may have ended the start
end

-- Starts the thread that steps the engine.
local function open()
  local started, why = engine:start()
  if not started then return nil, why, true end
  local number = engine:fd()
  if not number then return nil, NONE_LEFT, true end
  if number >= LIMIT then return nil, TOO_LARGE:format(LIMIT, number), true end
  fd, opened = number, engine
  threads.use(engine)
  return true
end

local function prepare()
  if opened ~= engine then
    local is_open, why, call_fails = open()
    if not is_open then return nil, why, call_fails end
  end
  start_pump()
  return true
end

--- Whether the caller can wait here and now.
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

--- From each transfer on, copas runs its_drain soon after the engine has something, until nothing is pending.
---@param its_engine userdata
---@param its_drain fun() takes the finished transfers
function M.watch(its_engine, its_drain)
  engine, drain = its_engine, its_drain
  if opened == engine then start_pump() end
end

--- Runs fn in a thread of copas.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable is told how fn ended
---@param at_once boolean? fn starts now, and the caller goes on when fn waits
---@return boolean? started
---@return string? why not
function M.spawn(fn, runnable, at_once)
  local can, why = prepare()
  if not can then return nil, why end
  return threads.spawn(fn, runnable, at_once)
end

--- The same as a task: in copas, nothing ends with its caller.
M.detach = M.spawn

return M
