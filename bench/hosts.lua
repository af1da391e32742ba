--- The event loops of the benchmarks: runs a function in a coroutine of the loop, to the end of the loop.
local M = {}

function M.own(fn) fn() end

function M.cqueues(fn)
  local controller = require("cqueues").new()
  controller:wrap(fn)
  assert(controller:loop())
end

return M
