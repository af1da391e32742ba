--- Calls of the user's functions (on_upload, on_event), apart from the caller: no error in them reaches the library's work.
local creations = require "devkit4ai.util.errors.creations"
local host = require "devkit4ai.loop.host"
local tasks = require "devkit4ai.loop.tasks"
local traceback = require "devkit4ai.util.errors.traceback"
local waits = require "devkit4ai.loop.waits"

local M = {}

local YIELDED = "a callback yielded by itself, and nothing would ever resume it; call a function that waits instead"

---@class devkit4ai.loop.Callback: devkit4ai.loop.Waits one call of a function of the user's
---@field over boolean? it has ended
---@field waiter devkit4ai.loop.Slot? woken at its end
---@field raised { value: any, text: string }? the error that ended it
---@field report (fun(text: string))? gets the text of that error
local Callback = {}
Callback.__index = Callback

local function finish(callback)
  callback.over = true
  if callback.waiter then host.wake(callback.waiter) end
end

function Callback:failed(value, text)
  self.raised = { value = value, text = text }
  if self.report then self.report(text) end
  finish(self)
end

Callback.yielded, Callback.left, Callback.given_up = finish, finish, finish

-- In a script the function blocks, as all of a script does; also where a host can't start it beside the caller.
local function run_in_script(fn, callback)
  local co = coroutine.create(fn)
  local ok, value = coroutine.resume(co)
  if not ok then callback:failed(value, traceback.of(co, value))
  elseif coroutine.status(co) == "suspended" then callback:yielded(YIELDED) end
end

--- Calls a function of the user's. It may make calls: in a task or a host's coroutine it then goes on beside the caller.
---@param fn function
---@param report fun(text: string)? gets the text of an error in it
---@return devkit4ai.loop.Callback
function M.start(fn, report)
  local callback, task = setmetatable({ report = report }, Callback), tasks.current()
  creations.share(callback, task)
  local function run()
    fn()
    finish(callback)
  end
  local may_wait = task or not host.blocks
  if not (may_wait and host.spawn(run, callback, true)) then run_in_script(run, callback) end
  return callback
end

--- Waits for the end of a callback. A cancellation of the current task cancels it.
---@param callback devkit4ai.loop.Callback
---@param task devkit4ai.loop.Waits? the current one
---@return boolean over false: the task was cancelled
function M.wait(callback, task)
  while not callback.over do
    if not (task and task._cancellation) then
      callback.waiter = {}
      waits.park(task, callback.waiter, math.huge)
    end
    if task and task._cancellation then
      waits.cancel(callback)
      return false
    end
  end
  return true
end

return M
