--- Tasks: functions that run beside each other, each waiting for itself.
local runtime = require "devkit4ai.runtime"
local check = require "devkit4ai.check"
local errors = require "devkit4ai.errors"

local unpack = table.unpack or unpack -- luacheck: ignore 113

---@class devkit4ai.Task
local Task = {}
Task.__index = Task
Task.__name = "devkit4ai.Task"

local function pack(...)
  return { n = select("#", ...), ... }
end

-- Something whose end calls fn: Lua 5.1 and LuaJIT finalize userdata alone.
local function at_the_end(fn)
  local proxy = newproxy and newproxy(true) -- luacheck: ignore 113
  if not proxy then return setmetatable({}, { __gc = fn }) end
  getmetatable(proxy).__gc = fn
  return proxy
end

-- Where nobody has joined a task that failed until it is gone, its traceback goes to standard error.
local function tell_if_orphaned(task, trouble)
  local fate = { heard = false }
  task._fate = fate
  task._end = at_the_end(function()
    if not fate.heard then io.stderr:write("devkit4ai: a task failed: ", trouble, "\n") end
  end)
end

local function finish(task, results, trouble)
  task._done, task._results, task._error = true, results, trouble
  if trouble then tell_if_orphaned(task, trouble) end
  for _, slot in ipairs(task._waiting) do runtime.wake(slot) end
end

--- Runs fn(...) beside the caller, from the next time that somebody waits or updates.
---@param fn function
---@param ... any
---@return devkit4ai.Task
local function spawn(fn, ...)
  check.value("devkit4ai.spawn", { type = "function", required = true }, fn)
  local args = pack(...)
  local task = setmetatable({ _done = false, _waiting = {} }, Task)
  runtime.spawn(function()
    finish(task, pack(fn(unpack(args, 1, args.n))))
  end, function(trouble)
    finish(task, nil, trouble)
  end)
  return task
end

--- Waits for the end of the task.
---@return any ... what its function returned; an error in it is raised again, with its traceback
function Task:join()
  if getmetatable(self) ~= Task then errors.raise("task:join: call it with a colon, on a task") end
  while not self._done do
    local slot = {}
    self._waiting[#self._waiting + 1] = slot
    runtime.wait_for(slot)
  end
  if self._error then
    self._fate.heard = true
    error(self._error, 0)
  end
  return unpack(self._results, 1, self._results.n)
end

return { spawn = spawn }
