-- cqueues: coroutines of one controller.
local cqueues = require "cqueues"

local M = {}

local controller = cqueues.new()

--- Runs fn in a coroutine of the host, until nothing is left, or is_over is true after a step. Raises what a coroutine raised.
---@param fn function? nil: goes on with what is left
---@param is_over (fun(): boolean)?
function M.run(fn, is_over)
  if fn then controller:wrap(fn) end
  while not (controller:empty() or is_over and is_over()) do
    local ok, why = controller:step()
    if not ok then error(why, 0) end
  end
end

--- Runs fn beside the caller.
function M.start(fn)
  controller:wrap(fn)
end

M.pause = cqueues.sleep

return M
