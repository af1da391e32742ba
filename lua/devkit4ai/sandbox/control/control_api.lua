--- The test-control API under /_sandbox/, on the API's port. It serves programs of this machine only.
local commands = require "devkit4ai.sandbox.control.commands"
local cors = require "devkit4ai.sandbox.http.cors"
local json = require "devkit4ai.sandbox.util.json"

local M = {}

---@class devkit4ai.sandbox.ControlApi
---@field private _state devkit4ai.sandbox.State
local ControlApi = {}
ControlApi.__index = ControlApi

local BODY_LIMIT = 1024 * 1024 -- bytes

---@param state devkit4ai.sandbox.State
---@return devkit4ai.sandbox.ControlApi
function M.new(state)
  return setmetatable({ _state = state }, ControlApi)
end

local function json_response(status, text, headers)
  return { status = status, body = text .. "\n", headers = headers } -- with a line end, for terminals
end

local function error_response(status, message, headers)
  return json_response(status, json.encode_object({ "error" }, { error = message }), headers)
end

-- Whether a program of this machine sent the request, and no web page. A page of another site reaches this server under
-- its own host name (Host), or names its site (Origin).
local function is_trusted(request)
  local peer, origin = request.peer, request.headers.origin
  return peer and (peer:find("^127%.") or peer == "::1")
    and cors.is_loopback(request.headers.host or "")
    and (not origin or cors.is_loopback(origin:match("^http://(.*)$") or ""))
end

-- The endpoint of a request; or nil and the methods that its path has.
local function find_endpoint(method, path)
  local methods = {}
  for _, endpoint in ipairs(commands.endpoints) do
    if endpoint[2] == path then
      if endpoint[1] == method then return endpoint end
      methods[#methods + 1] = endpoint[1]
    end
  end
  return nil, methods
end

-- The fields of a JSON body; or nil and the error response.
local function read_fields(request)
  local body, status, reason = request:read_all(BODY_LIMIT)
  if not body then return nil, error_response(status, reason) end
  local fields = json.decode(body)
  if not json.is_object(fields, body) then return nil, error_response(400, "the body must be a JSON object") end
  return fields
end

--- Handles a request under /_sandbox/.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Response? response nil: another path
function ControlApi:handle(request)
  if request.path:sub(1, #commands.ROOT) ~= commands.ROOT then return nil end
  if not is_trusted(request) then
    return error_response(403, commands.ROOT .. " serves programs of this machine only: send the Host header "
      .. "127.0.0.1, localhost or [::1], and no Origin of another site")
  end
  local endpoint, methods = find_endpoint(request.method, request.path:sub(#commands.ROOT + 1))
  if not endpoint then
    if #methods == 0 then return error_response(404, "unknown path; GET " .. commands.ROOT .. " lists the paths") end
    return error_response(405, "Method Not Allowed", { "Allow: " .. table.concat(methods, ", ") })
  end
  if request.query ~= "" then
    return error_response(400, ("%s %s takes no query; remove '%s'"):format(request.method, request.path,
      request.query))
  end
  local fields, failed = {}, nil
  if request.method == "POST" then fields, failed = read_fields(request)
  elseif request:has_unread_body() then
    failed = error_response(400, ("%s %s takes no body"):format(request.method, request.path))
  end
  if failed then return failed end
  local result, ok = commands.run(self._state, endpoint.command, fields)
  return json_response(ok and 200 or 400, result)
end

return M
