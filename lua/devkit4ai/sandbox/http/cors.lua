--- Web pages that call the sandbox: which origins are of this machine, and the CORS headers that they get.
local M = {}

local LOOPBACK = { ["127.0.0.1"] = true, localhost = true, ["[::1]"] = true }

--- Whether an authority (host, or host:port) names this machine.
---@param authority string
---@return boolean
function M.is_loopback(authority)
  local host = authority:match("^(%[[^%]]*%])") or authority:match("^[^:]*")
  return LOOPBACK[host:lower()] or false
end

-- The origin of a page that this machine serves, from any port; nil for all others, and for no page.
local function page_of(request)
  local origin = request.headers.origin
  return origin and M.is_loopback(origin:match("^https?://(.*)$") or "") and origin or nil
end

--- The answer to a preflight request: a browser's question whether a page may send the real one.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Answer? nil: it is no such question, or of a page of another machine
function M.preflight(request)
  local asked = request.headers["access-control-request-method"]
  if request.method ~= "OPTIONS" or not asked or not page_of(request) then return nil end
  local headers = request.headers["access-control-request-headers"]
  return { status = 204, body = "", headers = {
    "Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE",
    headers and "Access-Control-Allow-Headers: " .. headers,
  } }
end

--- An answer that the page which asked may read; the one given stays as it is.
---@param request devkit4ai.sandbox.Request
---@param answer devkit4ai.sandbox.Answer
---@return devkit4ai.sandbox.Answer
function M.open(request, answer)
  local origin = page_of(request)
  if not origin then return answer end
  local headers = { "Access-Control-Allow-Origin: " .. origin, "Access-Control-Expose-Headers: *", "Vary: Origin" }
  for _, line in ipairs(answer.headers or {}) do headers[#headers + 1] = line end
  return setmetatable({ headers = headers }, { __index = answer })
end

return M
