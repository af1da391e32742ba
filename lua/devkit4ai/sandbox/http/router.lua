--- Request router: finds the route of a method and path. A path without parameters wins (wire.md 1.2).
local M = {}

---@class devkit4ai.sandbox.Router
---@field private _static table<string, devkit4ai.sandbox.RouterPath>
---@field private _templates devkit4ai.sandbox.RouterPath[]
---@field private _slash_mode "redirect"|"accept"|"reject"
local Router = {}
Router.__index = Router

---@class devkit4ai.sandbox.RouterPath
---@field routes table<string, table>  by method
---@field methods string[]
---@field parameters string[]  names, in their order
---@field pattern string?  of a path with parameters

---@class devkit4ai.sandbox.RouteMiss why no route was found; both fields absent: nothing has this path
---@field methods string[]?  the methods that the path has
---@field redirect string?  the path with the slash at the end right

-- value of the dialect's axis slash -> the effect of a wrong slash at the end
local SLASH_MODES = { ["307"] = "redirect", accept = "accept", ["404"] = "reject" }

function Router:_add(route)
  local method, path = route[1], route[2]
  local entry = self._by_path[path]
  if not entry then
    entry = { routes = {}, methods = {}, parameters = {} }
    self._by_path[path] = entry
    if path:find("{", 1, true) then
      for name in path:gmatch("{([%w_]+)}") do table.insert(entry.parameters, name) end
      entry.pattern = "^" .. path:gsub("[%-%.]", "%%%0"):gsub("{[%w_]+}", "([^/]+)") .. "$"
      table.insert(self._templates, entry)
    else
      self._static[path] = entry
    end
  end
  entry.routes[method] = route
  table.insert(entry.methods, method)
end

--- A router over rows { method, path, ... }; {name} in a path matches one segment.
---@param routes table[]
---@param slash string the value of the dialect's axis
---@return devkit4ai.sandbox.Router
function M.new(routes, slash)
  local self = setmetatable({ _by_path = {}, _static = {}, _templates = {}, _slash_mode = SLASH_MODES[slash] }, Router)
  for _, route in ipairs(routes) do self:_add(route) end
  for _, entry in pairs(self._by_path) do table.sort(entry.methods) end
  return self
end

-- The entry of a path and the values of its parameters; nil: no route has the path.
function Router:_match(path)
  local static = self._static[path]
  if static then return static, {} end
  for _, entry in ipairs(self._templates) do
    local found = { path:match(entry.pattern) }
    if found[1] then
      local values = {}
      for i, name in ipairs(entry.parameters) do values[name] = found[i] end
      return entry, values
    end
  end
end

--- Finds a route.
---@param method string
---@param path string
---@return table? route
---@return table<string, string>? parameters of the path
---@return devkit4ai.sandbox.RouteMiss? miss where there is no route
function Router:find(method, path)
  local entry, parameters = self:_match(path)
  local other = not entry and (path:sub(-1) == "/" and path:sub(1, -2) or path .. "/")
  if other and self._slash_mode == "accept" then entry, parameters = self:_match(other) end
  if entry then
    local route = entry.routes[method]
    if route then return route, parameters end
    return nil, nil, { methods = entry.methods }
  end
  return nil, nil, { redirect = self._slash_mode == "redirect" and self:_match(other) and other or nil }
end

return M
