--- CORS headers and preflight responses, for web pages of this machine.
local merge = require "devkit4ai.sandbox.util.merge"

local M = {}

local LOOPBACK = { ["127.0.0.1"] = true, localhost = true, ["[::1]"] = true }

--- Tells whether an authority (host, or host:port) names this machine.
---@param authority string
---@return boolean
function M.is_loopback(authority)
  local host = authority:match("^(%[[^%]]*%])") or authority:match("^[^:]*")
  return LOOPBACK[host:lower()] or false
end

-- The request's Origin, where this machine serves the page, on any port; nil for another page, and for no page.
local function local_origin(request)
  local origin = request.headers.origin
  return origin and M.is_loopback(origin:match("^https?://(.*)$") or "") and origin or nil
end

--- The response to a preflight request.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Response? response nil: no preflight request, or one for a page of another machine
function M.preflight(request)
  local method = request.headers["access-control-request-method"]
  if request.method ~= "OPTIONS" or not method or not local_origin(request) then return nil end
  local headers = request.headers["access-control-request-headers"]
  return { status = 204, body = "", headers = {
    "Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE",
    headers and "Access-Control-Allow-Headers: " .. headers,
  } }
end

--- Adds the CORS headers, where a page of this machine has sent the request.
---@param request devkit4ai.sandbox.Request
---@param response devkit4ai.sandbox.Response
---@return devkit4ai.sandbox.Response
function M.add_headers(request, response)
  local origin = local_origin(request)
  if not origin then return response end
  local headers = { "Access-Control-Allow-Origin: " .. origin, "Access-Control-Expose-Headers: *", "Vary: Origin" }
  for _, line in ipairs(response.headers or {}) do headers[#headers + 1] = line end
  return merge(response, { headers = headers })
end

return M
