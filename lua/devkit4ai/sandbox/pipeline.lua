--- One exchange with all that a test may want of it: the fault that breaks it and the journal that remembers it, before
--- a service that knows of neither. This is the program that server.lua runs.
local delivery = require "devkit4ai.sandbox.http.response_writer"
local errors = require "devkit4ai.sandbox.api.errors"
local http = require "devkit4ai.sandbox.http.request_reader"
local json = require "devkit4ai.sandbox.util.json"
local origins = require "devkit4ai.sandbox.http.cors"

local M = {}
local Exchange = {}
Exchange.__index = Exchange

local PAGE = "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n"
  .. "</body>\r\n</html>\r\n"

---@class devkit4ai.sandbox.Service
---@field operation fun(self: table, request: devkit4ai.sandbox.Request): string?  the name of what is asked for
---@field answer fun(self: table, request: devkit4ai.sandbox.Request): devkit4ai.sandbox.Answer

--- The program of a port.
---@param state table
---@param service devkit4ai.sandbox.Service
---@param port { operation: string?, desk: table? } what all of the port's connections are for, where they are for one
---   thing; what answers before the service, and is no part of it
function M.new(state, service, port)
  return setmetatable({
    state = state, service = service, desk = port.desk, only = port.operation, clock = state.clock,
  }, Exchange)
end

--- Whether a new connection may stay.
---@return boolean
function Exchange:admits()
  return not self.state.faults:pick(self.only, true)
end

-- The answer that a fault has in place of the service's.
local function own_answer(state, fault)
  if fault.rate_limit then return state.rates:dress(errors.rate_limited(fault.rate_limit)) end
  local status = fault.status or fault.html and 502 or fault.detail and 400 or 200
  local reason = http.reason(status)
  if fault.html then
    return { status = status, content_type = "text/html", body = PAGE:format(status, reason, status, reason) }
  end
  return { status = status, body = fault.body or json.object({ "detail" }, { detail = fault.detail or reason }) }
end

-- A fault's headers as lines; Content-Type and Date replace the sandbox's own.
local function add_headers(answer, headers)
  local lines = {}
  for i, line in ipairs(answer.headers or lines) do lines[i] = line end
  for name, given in pairs(headers) do
    local key = name:lower()
    for _, value in ipairs(type(given) == "table" and given or { given }) do
      if key == "content-type" then answer.content_type = value
      elseif key == "date" then answer.date = value
      else lines[#lines + 1] = name .. ": " .. value end
    end
  end
  answer.headers = lines
end

-- An answer as a fault wants it; the one given stays as it is.
local function altered(answer, fault)
  local changed = setmetatable({}, { __index = answer })
  if fault.status then changed.status = fault.status end
  if fault.headers then add_headers(changed, fault.headers) end
  if fault.broken then changed.body = answer.body:sub(1, math.floor(#answer.body / 2)) end
  if fault.length then changed.length = math.max(0, #changed.body + fault.length) end
  return changed
end

-- The generation that was just made, if one was, ends as the fault says.
local function settle(generation, fault)
  if not generation then return end
  if fault.fail then generation.failure = fault.fail == true and "The image could not be generated" or fault.fail end
  generation.hangs = fault.hang
end

-- The answer under a fault: the service works, unless the connection is cut before, or the fault answers in its place.
function Exchange:spoil(request, fault, answers)
  if fault.cut == "before" then
    request:swallow(delivery.BODY_LIMIT)
    return { status = 200, body = "" } -- nobody sees it
  end
  local answer
  if not answers or fault.work then
    answer = self.service:answer(request)
    settle(request.generation, fault)
  end
  if answers then answer = own_answer(self.state, fault) end
  return altered(answer, fault)
end

--- The answer to a request, and the fault with which it is to be delivered.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Answer
---@return devkit4ai.sandbox.Fault?
function Exchange:answer(request)
  local aside = self.desk and self.desk:answer(request)
  if aside then return aside end
  local preflight = origins.preflight(request)
  if preflight then return origins.open(request, preflight) end
  local operation = self.service:operation(request)
  local fault, answers = self.state.faults:pick(operation, false)
  request.entry = self.state.journal:open(request, operation, fault)
  local answer = fault and self:spoil(request, fault, answers) or self.service:answer(request)
  return origins.open(request, answer), fault
end

--- Takes note of what went out.
---@param request devkit4ai.sandbox.Request
---@param answer devkit4ai.sandbox.Answer
---@param bytes integer
function Exchange:sent(request, answer, bytes)
  if request.entry then self.state.journal:close(request.entry, request, answer.status, bytes) end
end

return M
