-- The server of a case: routes by path, and what it has seen.
local raw = require "spec.support.servers.raw"

local M = {}

-- ROUTES returns a table: path -> function(conn, request, n), called for the nth complete request; false ends the
-- connection. "head PATH" is called before the body is read. The routes may use seen, until_seen and PROFILE.
local SCRIPT = [[
  local cjson = require "cjson"
  local seen = {}
  local PROFILE = { id = "550e8400-e29b-41d4-a716-446655440000", email = "a@example.com" }

  local function until_seen(conn, path, count)
    while (seen[path] or 0) < (count or 1) do conn:sleep(0.002) end
  end

  local routes = (function() ROUTES end)() or {}
  routes["/seen"] = function(conn) conn:respond(200, next(seen) and seen or "{}") end
  routes["/api/v1/auth/me"] = routes["/api/v1/auth/me"] or function(conn) conn:respond(200, PROFILE) end

  return function(conn)
    local head = conn:read_head()
    while head do
      local path = head:match("^%S+ ([^%s?]*)")
      local route, at_head = routes[path], routes["head " .. path]
      if path ~= "/seen" then seen[path] = (seen[path] or 0) + 1 end
      local n = seen[path]
      if at_head and at_head(conn, head, n) == false then return end
      local request = conn:read_body()
      if not request then return end
      if not route then conn:respond(404, { detail = "Not Found" })
      elseif route(conn, request, n) == false then return end
      head = conn:read_head()
    end
  end
]]

--- Starts the server of a case.
---@param routes string? Lua
---@return spec.RawServer
function M.start(routes)
  return raw.start { script = (SCRIPT:gsub("ROUTES", function() return routes or "" end)) }
end

--- How many requests to a path the server has seen.
---@param server spec.RawServer
---@param path string
---@return integer
function M.count(server, path)
  local count = 0
  for _, request in ipairs(server:requests()) do
    if request.target:match("^[^?]*") == path then count = count + 1 end
  end
  return count
end

return M
