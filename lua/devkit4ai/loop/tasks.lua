--- The coroutines of this Lua state that run tasks. An event loop adds a coroutine before it runs a task in it.
local M = {}

local running = coroutine.running
local tasks = setmetatable({}, { __mode = "k" }) -- coroutine -> the private record of its task
local count = 0

--- Adds the coroutine of a task.
---@param co thread
---@param task devkit4ai.loop.Runnable
function M.add(co, task)
  tasks[co], count = task, count + 1
end

--- Removes a coroutine when its function has ended.
---@param co thread
function M.remove(co)
  tasks[co], count = nil, count - 1
end

--- The task of a coroutine.
---@param co thread?
---@return devkit4ai.loop.Runnable?
function M.of(co)
  return tasks[co]
end

--- The task that the caller runs in; nil outside of tasks.
---@return devkit4ai.loop.Runnable?
function M.current()
  return count > 0 and tasks[running() or 0] or nil -- Lua 5.1's main thread is no coroutine
end

--- How many tasks have not ended.
---@return integer
function M.count()
  return count
end

--- Every task that has not ended, by its coroutine.
---@return table<thread, devkit4ai.loop.Runnable>
function M.all()
  return tasks
end

return M
