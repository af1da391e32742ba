-- luv: coroutines that the program resumes in callbacks.
local uv = require "luv"

local M = { spawns_in_main = true }

--- Runs fn in a coroutine of the host, until nothing is left, or is_over is true after a step.
---@param fn function? nil: goes on with what is left
---@param is_over (fun(): boolean)?
function M.run(fn, is_over)
  if fn then M.start(fn) end
  repeat local is_alive = uv.run "once" until not is_alive or is_over and is_over()
end

--- Runs fn beside the caller.
function M.start(fn)
  coroutine.wrap(fn)()
end

function M.pause(seconds)
  local co, timer = coroutine.running(), uv.new_timer()
  timer:start(math.ceil(seconds * 1000), 0, function()
    timer:close()
    assert(coroutine.resume(co))
  end)
  coroutine.yield()
end

return M
