-- Runs one case of the suite inside a host. On each Lua; the case's file runs in the spec's process, too.
local devkit4ai = require "devkit4ai"
local cjson = require "cjson"
local wire = require "spec.support.calls.wire"

local M = {}

-- What a case gets.
---@class suite.Run
---@field devkit4ai table
---@field host table the file of hosts/
---@field url string of the case's server
local Run = {}
Run.__index = Run

--- A client of the case's server, in the host's loop.
---@param more table? options
---@return devkit4ai.Client
function Run:client(more)
  local options = wire.options(self.url, more)
  options.loop = self.host.name
  return assert(devkit4ai.new(options))
end

--- What the server answers to a path of the case; by the client of the case's own control, which has no retries.
---@param path string
---@return table json
function Run:ask(path)
  self._control = self._control or self:client { retry = { attempts = 1 } }
  local response, message = self._control:request { method = "GET", path = path }
  if not response then error(message, 0) end
  return response.json
end

--- Waits until the server has seen so many requests to a path.
---@param path string
---@param count integer? default 1
function Run:until_seen(path, count)
  while (self:ask("/seen")[path] or 0) < (count or 1) do self.host.pause(0.005) end
end

--- Runs fn beside the caller; returns a function that waits for its end.
---@param fn function
---@return fun() wait
function Run:beside(fn)
  local is_over = false
  self.host.start(function()
    fn()
    is_over = true
  end)
  return function()
    while not is_over do self.host.pause(0.002) end
  end
end

--- Raises unless two values are the same; tables are compared as JSON.
function Run.equal(_, expected, actual)
  local function text(value)
    return type(value) == "table" and cjson.encode(value) or type(value) .. " " .. tostring(value)
  end
  if expected ~= actual and text(expected) ~= text(actual) then
    error(("expected %s, got %s"):format(text(expected), text(actual)), 2)
  end
end

--- Raises unless a text contains a part.
function Run.contains(_, text, part)
  if not tostring(text):find(part, 1, true) then error(("no %q in %s"):format(part, tostring(text)), 2) end
end

--- Finds a case.
---@param file string in cases/
---@param name string
---@return suite.Case
function M.case(file, name)
  for _, case in ipairs(require("spec.devkit4ai.loop.suite.cases." .. file)) do
    if case.name == name then return case end
  end
  error("no case is called " .. name)
end

--- Runs a case where the host runs a program: a main chunk, or the handler of a request.
---@param host_name string
---@param file string
---@param name string
---@param url string
function M.main(host_name, file, name, url)
  local host = require("spec.devkit4ai.loop.suite.hosts." .. host_name)
  host.name = host_name
  local run, case = setmetatable({ devkit4ai = devkit4ai, host = host, url = url }, Run), M.case(file, name)
  if case.in_main then
    case.run(run)
  else
    local is_over = false
    host.run(function()
      case.run(run)
      is_over = true
    end)
    assert(is_over, "the host's loop ended before the case")
  end
end

return M
