-- Scripts: the main chunk waits, and the library's tasks are its only coroutines.
local devkit4ai = require "devkit4ai"

local M = { blocks = true }

--- Runs fn, and what it started, to the end.
function M.run(fn)
  fn()
end

--- Runs fn beside the caller.
function M.start(fn)
  devkit4ai.spawn(fn)
end

M.pause = devkit4ai.sleep

return M
