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

--- Runs functions beside each other and waits for all.
---@param list function[]
---@return any[]? results each one's first value; the first failure cancels the others and is given, or raised again
---@return string? message
---@return devkit4ai.Error? err
function M.all(list)
  return require("devkit4ai.task").all(list)
end

--- Runs fn(item, i) for each item of a list, so many at a time.
---@param list any[]
---@param options { concurrency: integer? }? default 8
---@param fn fun(item: any, i: integer): any?, string?, devkit4ai.Error?
---@return any[]? results results[i]: the first value of item i
---@return table<integer, devkit4ai.Error> failures failures[i]: the err of item i
function M.map(list, options, fn)
  return require("devkit4ai.task").map(list, options, fn)
end

--- Lets what is ready go on; for programs with frames, once a frame. From its first call on a thread of the library's own
--- does the network's work, so that no frame waits for it.
function M.update()
  return require("devkit4ai.runtime").update()
end

return M
