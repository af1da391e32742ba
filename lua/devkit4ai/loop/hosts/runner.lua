--- Runs the function of a task in a coroutine of a host, and tells the task how it ended.
local tasks = require "devkit4ai.loop.tasks"
local traceback = require "devkit4ai.util.errors.traceback"

local M = {}

local create, running, resume = coroutine.create, coroutine.running, coroutine.resume
local status, yield = coroutine.status, coroutine.yield
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local debug = rawget(_G, "debug")

local function describe(value)
  local text = traceback.text(value)
  return { value = value, text = debug and debug.traceback(text, 2) or text }
end

local function run_protected(fn, runnable)
  local co = running()
  tasks.add(co, runnable)
  local ok, raised = xpcall(fn, describe, runnable)
  tasks.remove(co)
  if not ok then runnable:failed(raised.value, raised.text) end
end

-- Gives what the function yields to the host.
local function carry(co, ok, ...)
  if status(co) ~= "suspended" then return ok, ... end
  return carry(co, resume(co, yield(...)))
end

-- Lua 5.1 can't yield in a protected call: the function runs in a coroutine of its own.
local function run_in_coroutine(fn, runnable)
  local co = create(fn)
  tasks.add(co, runnable)
  local ok, value = carry(co, resume(co, runnable))
  tasks.remove(co)
  if not ok then runnable:failed(value, traceback.of(co, value)) end
end

--- Runs fn(runnable) in the current coroutine. The task is known to `tasks` until fn ends.
---@type fun(fn: fun(runnable: devkit4ai.loop.Runnable), runnable: devkit4ai.loop.Runnable)
M.run = plain_51 and run_in_coroutine or run_protected

return M
