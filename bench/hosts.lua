--- The event loops of the benchmarks: runs a function in a coroutine of the loop, to the end of the loop.
local M = {}

function M.own(fn) fn() end

function M.cqueues(fn)
  local controller = require("cqueues").new()
  controller:wrap(fn)
  assert(controller:loop())
end

function M.luv(fn)
  coroutine.wrap(fn)()
  require("luv").run()
end

function M.copas(fn)
  local copas, is_over = require "copas", false
  copas.addthread(function()
    fn()
    is_over = true
  end)
  repeat copas.step() until is_over -- the loop of copas 1.2 never ends
end

return M
