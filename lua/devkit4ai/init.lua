--- The Dev Kit for AI Cloud API for Lua. Requiring it loads this file alone; the rest comes with the first call.
---@class devkit4ai
local M = {
  version = require "devkit4ai.version",
}

--- Makes a client. Touches no network. An option that is left out comes from its environment variable, else its default.
---@param options devkit4ai.Options?
---@return devkit4ai.Client?
---@return string? message
---@return devkit4ai.Error? err kind `config`: a value that can't be used (an address, a key with a line feed)
function M.new(options)
  return require("devkit4ai.client").new(options)
end

--- Runs fn(...) as a task, beside the caller.
---@param fn function
---@param ... any what fn gets
---@return devkit4ai.Task
function M.spawn(fn, ...)
  return require("devkit4ai.task").spawn(fn, ...)
end

--- Lets what is ready go on; for programs with frames, once a frame. From its first call on a thread of the library's own
--- does the network's work, so that no frame waits for it.
function M.update()
  return require("devkit4ai.runtime").update()
end

return M
