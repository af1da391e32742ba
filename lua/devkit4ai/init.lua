--- The Dev Kit for AI Cloud API for Lua. Requiring it loads little; the rest comes with the first call.
---@class devkit4ai
---@field version string of this library
local M = {
  version = require "devkit4ai.util.version",
}

for _, name in ipairs { "coroutine", "math", "os", "string", "table" } do
  if type(rawget(_G, name)) ~= "table" then error("devkit4ai needs Lua's library " .. name, 0) end
end

local searchers, path, cpath = package.searchers or package.loaders, package.path, package.cpath

-- Most modules are loaded by the first call that needs them. They are looked for where this one was found, whatever the
-- program has done to package.path since.
local function search(name)
  if not (name:find("^devkit4ai%.") or name == "cjson") then return nil end
  local path_of_now, cpath_of_now = package.path, package.cpath
  if path_of_now == path and cpath_of_now == cpath then return nil end
  package.path, package.cpath = path, cpath
  local loader, extra
  for _, other in ipairs(searchers) do
    if other ~= search and type(loader) ~= "function" then loader, extra = other(name) end
  end
  package.path, package.cpath = path_of_now, cpath_of_now
  return loader, extra
end

searchers[#searchers + 1] = search

--- Makes a client. Touches no network. An option that is left out comes from its environment variable, else its default.
--- ```lua
--- local client = assert(devkit4ai.new { base_url = sandbox.url, timeout = { total = 30 } })
--- print(client.role) --> developer
--- ```
---@param options devkit4ai.Options?
---@return devkit4ai.Client? client
---@return string? message
---@return devkit4ai.Error? err kind `config`: a value that can't be used (an address, a key with a line feed); kind `file`: the store can't be written
function M.new(options)
  return require("devkit4ai.resources.client").new(options)
end

--- Runs fn(...) as a task, beside the caller.
--- ```lua
--- local task = devkit4ai.spawn(function() return client:me() end)
--- print(task:join().email) --> dev@example.com
--- ```
---@param fn function
---@param ... any what fn gets
---@return devkit4ai.Task task
function M.spawn(fn, ...)
  return require("devkit4ai.loop.task").spawn(fn, ...)
end

--- Runs functions beside each other and waits for all.
--- ```lua
--- local results = assert(devkit4ai.all {
---   function() return client:me() end,
---   function() return client:projects() end,
--- })
--- print(results[1].email, #results[2]) --> dev@example.com 1
--- ```
---@param list function[] each gives a value, or nil, message, err
---@return any[]? results each one's first value; the first failure cancels the others and is given, or raised again
---@return string? message
---@return devkit4ai.Error? err of the one that failed; where something was created, it names all of it and is not retryable; err.results: first values of those that had finished
function M.all(list)
  return require("devkit4ai.loop.group").all(list)
end

--- Runs fn(item, i) for each item of a list, so many at a time.
--- ```lua
--- local gens, failures = devkit4ai.map({ "a.png", "missing.png" }, { concurrency = 2 }, function(path)
---   return project:generate { images = { path }, prompt = "neon" }
--- end)
--- print(gens[1].status, failures[2].kind) --> pending file
--- ```
---@param list any[]
---@param options { concurrency: integer? }? concurrency: how many at a time, default 8
---@param fn fun(item: any, i: integer): any?, string?, devkit4ai.Error? what is done with an item; it gives nil, message, err where it fails
---@return any[]? results results[i]: the first value of item i; nil, if the task that calls was cancelled
---@return table<integer, devkit4ai.Error>|string failures failures[i]: the err of item i; the message, where results is nil
---@return devkit4ai.Error? err where results is nil; err.results: first values of the items that had finished
function M.map(list, options, fn)
  return require("devkit4ai.loop.group").map(list, options, fn)
end

--- Waits. A script blocks; in a task, the others go on meanwhile.
--- ```lua
--- local slept = devkit4ai.sleep(0.01)
--- print(slept) --> true
--- ```
---@param seconds number
---@return boolean? slept nil: the task that calls was cancelled
---@return string? message
---@return devkit4ai.Error? err kind `cancelled`
function M.sleep(seconds)
  return require("devkit4ai.loop.task").sleep(seconds)
end

--- Runs the tasks that are ready; for programs with frames, once a frame. From its first call on a thread of the library's own
--- does the network's work, so that no frame waits for it. A task that is ready when the budget is over runs in a later frame.
--- ```lua
--- local task = devkit4ai.spawn(function() return client:me() end)
--- devkit4ai.update() -- as in: function love.update() devkit4ai.update() end
--- print(task:join().email) --> dev@example.com
--- ```
---@param options { budget: number? }? budget: seconds for the tasks of one frame, default 0.004; one task runs at least
function M.update(options)
  return require("devkit4ai.loop.task").update(options)
end

return M
