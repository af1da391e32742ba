--- Lua client of the Dev Kit for AI Cloud API. Loads most modules with the first call.
---@class devkit4ai
---@field version string version of this library
local M = {
  version = require "devkit4ai.util.version",
}

for _, name in ipairs { "coroutine", "math", "os", "string", "table" } do
  if type(rawget(_G, name)) ~= "table" then error("devkit4ai needs the standard library " .. name, 0) end
end

local searchers, path, cpath = package.searchers or package.loaders, package.path, package.cpath

-- Finds modules on the path that found this one: they are loaded later, when the program may have changed package.path.
local function search(name)
  if not (name:find("^devkit4ai%.") or name == "cjson") then return nil end
  local current_path, current_cpath = package.path, package.cpath
  if current_path == path and current_cpath == cpath then return nil end
  package.path, package.cpath = path, cpath
  local loader, extra
  for _, other in ipairs(searchers) do
    if other ~= search and type(loader) ~= "function" then loader, extra = other(name) end
  end
  package.path, package.cpath = current_path, current_cpath
  return loader, extra
end

searchers[#searchers + 1] = search

--- Creates a client. Sends nothing. An absent option comes from its environment variable, else from its default.
--- ```lua
--- local client = assert(devkit4ai.new { base_url = sandbox.url, timeout = { total = 30 } })
--- print(client.role) --> developer
--- ```
---@param options devkit4ai.Options?
---@return devkit4ai.Client? client
---@return string? message
---@return devkit4ai.Error? err kind `config`: an invalid value (an address, a key with a line feed); kind `file`: the store can't be written
function M.new(options)
  return require("devkit4ai.resources.client").new(options)
end

--- Runs fn(...) as a task, concurrently with the caller.
--- ```lua
--- local task = devkit4ai.spawn(function() return client:me() end)
--- print(task:join().email) --> dev@example.com
--- ```
---@param fn function
---@param ... any the arguments of fn
---@return devkit4ai.Task task
function M.spawn(fn, ...)
  return require("devkit4ai.loop.task").spawn(fn, ...)
end

--- Runs functions concurrently and waits for all of them.
--- ```lua
--- local results = assert(devkit4ai.all {
---   function() return client:me() end,
---   function() return client:projects() end,
--- })
--- print(results[1].email, #results[2]) --> dev@example.com 1
--- ```
---@param list function[] each returns a value, or nil, message, err
---@return any[]? results the first value of each function; the first failure cancels the others and is returned, or raised again
---@return string? message
---@return devkit4ai.Error? err of the function that failed; if objects were created, it lists them and is not retryable; err.results: first values of the functions that had finished
function M.all(list)
  return require("devkit4ai.loop.group").all(list)
end

--- Runs fn(item, i) for each item of a list, with limited concurrency.
--- ```lua
--- local gens, failures = devkit4ai.map({ "a.png", "missing.png" }, { concurrency = 2 }, function(path)
---   return project:generate { images = { path }, prompt = "neon" }
--- end)
--- print(gens[1].status, failures[2].kind) --> pending file
--- ```
---@param list any[]
---@param options { concurrency: integer? }? concurrency: how many at a time, default 8
---@param fn fun(item: any, i: integer): any?, string?, devkit4ai.Error? processes an item; returns nil, message, err on failure
---@return any[]? results results[i]: the first value of item i; nil, if the calling task was cancelled
---@return table<integer, devkit4ai.Error>|string failures failures[i]: the err of item i; the message, if results is nil
---@return devkit4ai.Error? err if results is nil; err.results: first values of the items that had finished
function M.map(list, options, fn)
  return require("devkit4ai.loop.group").map(list, options, fn)
end

--- Waits. In a task, other tasks run meanwhile; outside of one, the program blocks.
--- ```lua
--- local slept = devkit4ai.sleep(0.01)
--- print(slept) --> true
--- ```
---@param seconds number
---@return boolean? slept true; nil: the calling task was cancelled
---@return string? message
---@return devkit4ai.Error? err kind `cancelled`
function M.sleep(seconds)
  return require("devkit4ai.loop.task").sleep(seconds)
end

local update -- of devkit4ai.loop.task, from the first call on

--- Runs the tasks that are ready; for programs with frames: call it once per frame. Its first call loads the library's
--- modules and starts a thread, which does the network I/O, so no frame waits for it. That call takes milliseconds: make it
--- while the program loads. A response or a task that is ready after the budget has its turn in a later frame. Raises an
--- error in a task.
--- ```lua
--- local task = devkit4ai.spawn(function() return client:me() end)
--- devkit4ai.update() -- as in: function love.update() devkit4ai.update() end
--- print(task:join().email) --> dev@example.com
--- ```
---@param options { budget: number? }? budget: seconds for the responses and tasks of one frame, default 0.00005; at least one task runs, to its next wait
function M.update(options)
  if not update then
    require("devkit4ai.resources.client").load_modules()
    update = require("devkit4ai.loop.task").update
  end
  return update(options)
end

return M
