--- Finds the route of a method and a path; paths without a parameter win (wire.md 1.2).
local M = {}
local Router = {}
Router.__index = Router

-- value of the dialect's axis slash -> what a path with the last slash wrong is
local SLASHES = { ["307"] = { moved = true }, accept = { same = true }, ["404"] = {} }

--- A router over rows { method, path, ... }; {name} in a path stands for one segment.
---@param routes table[]
---@param slash string of the dialect's axis
function M.new(routes, slash)
  local self = setmetatable({ fixed = {}, templates = {}, slash = SLASHES[slash] }, Router)
  local by_path = {}
  for _, route in ipairs(routes) do
    local path = route[2]
    local place = by_path[path]
    if not place then
      place = { methods = {}, allow = {}, names = {} }
      by_path[path] = place
      if path:find("{", 1, true) then
        for name in path:gmatch("{([%w_]+)}") do table.insert(place.names, name) end
        place.pattern = "^" .. path:gsub("[%-%.]", "%%%0"):gsub("{[%w_]+}", "([^/]+)") .. "$"
        table.insert(self.templates, place)
      else
        self.fixed[path] = place
      end
    end
    place.methods[route[1]] = route
    table.insert(place.allow, route[1])
  end
  for _, place in pairs(by_path) do table.sort(place.allow) end
  return self
end

-- The place of a path and the values of its parameters, or nil.
function Router:place(path)
  local fixed = self.fixed[path]
  if fixed then return fixed, {} end
  for _, place in ipairs(self.templates) do
    local found = { path:match(place.pattern) }
    if found[1] then
      local values = {}
      for i, name in ipairs(place.names) do values[name] = found[i] end
      return place, values
    end
  end
end

--- The route and its parameters; or nil with either the methods that the path has, or the path with the slash right.
---@param method string
---@param path string
---@return table? route
---@return table? parameters
---@return { allow: string[]?, moved: string? }? instead
function Router:find(method, path)
  local other = path:sub(-1) == "/" and path:sub(1, -2) or path .. "/"
  local place, parameters = self:place(path)
  if not place and self.slash.same then place, parameters = self:place(other) end
  if place then
    local route = place.methods[method]
    if route then return route, parameters end
    return nil, nil, { allow = place.allow }
  end
  return nil, nil, { moved = self.slash.moved and self:place(other) and other or nil }
end

return M
