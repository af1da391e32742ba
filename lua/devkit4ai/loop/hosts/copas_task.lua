--- Runs the function of a task in a thread of copas, and tells the task how it ended. The function has a coroutine of its own
--- inside the thread: its errors do not reach copas, on Lua 5.1 too, and copas does not drop a task that yields by itself.
local core = require "devkit4ai.core"
local tasks = require "devkit4ai.loop.tasks"
local traceback = require "devkit4ai.util.errors.traceback"

local M = {}

local create, resume, status, yield = coroutine.create, coroutine.resume, coroutine.status, coroutine.yield
local process_id = core.process
local YIELDED = "a task yielded by itself, and nothing would ever resume it; call a function that waits instead"

local process = process_id() -- the id of the process that the tasks belong to

--- In a forked child: ends the copies of its parent's tasks.
---@param forked thread? the coroutine of the task that ran
function M.check_process(forked)
  if process == process_id() then return end
  process = process_id()
  tasks.leave_to_parent(forked)
end

-- Gives what the function yields to copas: a value, and the queue that gets the thread.
local function carry(co, runnable, ok, value, queue)
  M.check_process(co)
  while queue and status(co) == "suspended" do
    yield(value, queue)
    M.check_process()
    if tasks.of(co) ~= runnable then return end -- left: the process was forked
    ok, value, queue = resume(co)
    M.check_process(co)
  end
  tasks.remove(co)
  if not ok then runnable:failed(value, traceback.of(co, value))
  elseif status(co) == "suspended" then runnable:yielded(traceback.of(co, YIELDED)) end
end

--- Runs fn(runnable). The task is known to `tasks` until fn ends.
---@param fn fun(runnable: devkit4ai.loop.Runnable)
---@param runnable devkit4ai.loop.Runnable
function M.run(fn, runnable)
  local co = create(fn)
  tasks.add(co, runnable)
  carry(co, runnable, resume(co, runnable))
end

return M
