--- The coroutines of this Lua state that run tasks. An event loop adds a coroutine before it runs a task in it.
local M = {}

local running, status = coroutine.running, coroutine.status
local tasks = setmetatable({}, { __mode = "k" }) -- coroutine -> the private record of its task
local count = 0
local MOST = 1000 -- tasks, at least, until the next look at which of them are gone
local limit = MOST

-- A host may end a coroutine without its function's end: it was collected, and nobody removed it.
local function count_again()
  count = 0
  for _ in pairs(tasks) do count = count + 1 end
  limit = math.max(MOST, 2 * count)
end

--- Adds the coroutine of a task.
---@param co thread
---@param task devkit4ai.loop.Runnable
function M.add(co, task)
  tasks[co] = task
  count = count + 1 -- after it: the table may find no memory
  if count > limit then count_again() end
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

--- In a forked child, which has copies of its parent's tasks and runs none of them: ends those that wait.
---@param forked thread? the coroutine of the task that forked
function M.leave_to_parent(forked)
  local left = {}
  for co, task in pairs(tasks) do
    if co ~= forked and status(co) == "suspended" then left[co] = task end
  end
  for co, task in pairs(left) do
    M.remove(co)
    task:left()
  end
end

--- How many tasks have not ended, and of those that their host ended, some.
---@return integer
function M.count()
  return count
end

return M
