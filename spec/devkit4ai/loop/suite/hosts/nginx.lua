-- nginx: light threads of one request. Its handler is a coroutine already.
local ngx = require "ngx"

local M = {}

--- Runs fn, and what it started, to the end.
function M.run(fn)
  fn()
end

--- Runs fn beside the caller.
function M.start(fn)
  ngx.thread.spawn(fn)
end

M.pause = ngx.sleep

return M
