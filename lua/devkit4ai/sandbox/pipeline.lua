--- The middleware between the server and a service: control API, CORS, journal and faults.
local cors = require "devkit4ai.sandbox.http.cors"
local errors = require "devkit4ai.sandbox.api.errors"
local merge = require "devkit4ai.sandbox.util.merge"
local responses = require "devkit4ai.sandbox.http.response"

local M = {}

---@class devkit4ai.sandbox.Service the API, or the image storage; it knows neither faults nor the journal
---@field match fun(self: table, request: devkit4ai.sandbox.Request): string?, any  the operation, and the argument of handle
---@field handle fun(self: table, call: any): devkit4ai.sandbox.Response

---@class devkit4ai.sandbox.Pipeline: devkit4ai.sandbox.Handler
---@field now fun(): number
---@field private _state devkit4ai.sandbox.State
---@field private _service devkit4ai.sandbox.Service
---@field private _control_api devkit4ai.sandbox.ControlApi?
---@field private _only_operation string?  where every request to the port is of one operation
local Pipeline = {}
Pipeline.__index = Pipeline

local HTML_PAGE = "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n"
  .. "</body>\r\n</html>\r\n"

--- The handler of a port.
---@param state devkit4ai.sandbox.State
---@param service devkit4ai.sandbox.Service
---@param port { control_api: devkit4ai.sandbox.ControlApi?, only_operation: string? }
---@return devkit4ai.sandbox.Pipeline
function M.new(state, service, port)
  return setmetatable({
    now = state.clock.now, _state = state, _service = service, _control_api = port.control_api,
    _only_operation = port.only_operation,
  }, Pipeline)
end

--- Tells whether a new connection stays open. A fault can refuse it.
---@return boolean
function Pipeline:accepts_connection()
  return not self._state.faults:take_refusal(self._only_operation)
end

-- The response that a fault gives in place of the service's.
local function fault_response(state, fault)
  if fault.rate_limit then return state.rate_limits:add_headers(errors.rate_limited(fault.rate_limit)) end
  local status = fault.status or fault.html and 502 or fault.detail and 400 or 200
  local reason = responses.reason(status)
  if fault.html then
    return { status = status, content_type = "text/html", body = HTML_PAGE:format(status, reason, status, reason) }
  end
  if fault.body then return { status = status, body = fault.body } end
  return responses.detail(status, fault.detail or reason)
end

-- Adds a fault's headers to a response; Content-Type and Date replace the sandbox's own.
local function set_headers(response, headers)
  local lines = {}
  for i, line in ipairs(response.headers or lines) do lines[i] = line end
  for name, given in pairs(headers) do
    local key = name:lower()
    for _, value in ipairs(type(given) == "table" and given or { given }) do
      if key == "content-type" then response.content_type = value
      elseif key == "date" then response.date = value
      else lines[#lines + 1] = name .. ": " .. value end
    end
  end
  response.headers = lines
end

-- A copy of a response with the changes of a fault.
local function damage(response, fault)
  local damaged = merge(response, { status = fault.status })
  if fault.headers then set_headers(damaged, fault.headers) end
  if fault.broken then damaged.body = response.body:sub(1, math.floor(#response.body / 2)) end
  if fault.length then damaged.content_length = math.max(0, #damaged.body + fault.length) end
  return damaged
end

-- The response under a fault. A cut before the work, or a response of the fault's own, keeps the service from running.
function Pipeline:_handle_with_fault(request, call, fault, has_response)
  if fault.cut == "before" then
    request:discard()
    return { status = 200, body = "" } -- it is never sent
  end
  local response, generation
  if not has_response or fault.work then
    response = self._service:handle(call)
    generation = response.generation
    if generation then self._state.generations:set_outcome(generation, fault.fail, fault.hang) end
  end
  if has_response then response = merge(fault_response(self._state, fault), { generation = generation }) end
  return damage(response, fault)
end

function Pipeline:_respond(request)
  local control_response = self._control_api and self._control_api:handle(request)
  if control_response then return control_response end
  local preflight = cors.preflight(request)
  if preflight then return cors.add_headers(request, preflight) end
  local operation, call = self._service:match(request)
  local fault, has_response = self._state.faults:take(operation)
  local entry = self._state.journal:begin_entry(request, operation, fault)
  local response = fault and self:_handle_with_fault(request, call, fault, has_response) or self._service:handle(call)
  return cors.add_headers(request, response), fault, entry
end

--- Handles a request. The state that the response shows is on the disk, where there is a data folder.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Response
---@return devkit4ai.sandbox.Fault? fault that applies to the sending of the response
---@return devkit4ai.sandbox.JournalEntry? entry nil: the journal does not record this request
function Pipeline:handle(request)
  local response, fault, entry = self:_respond(request)
  local ok, problem = self._state.records:commit()
  if not ok then response = responses.detail(500, "The sandbox can't keep its data: " .. problem) end
  return response, fault, entry
end

--- Records the sent response in the journal.
---@param entry devkit4ai.sandbox.JournalEntry?
---@param response devkit4ai.sandbox.Response
---@param bytes integer that were sent
function Pipeline:log_response(entry, response, bytes)
  if entry then self._state.journal:end_entry(entry, response, bytes) end
end

return M
