--- The context of one request: everything that the API knows about it. Each field has one writer.
local M = {}

---@class devkit4ai.sandbox.Context
---@field request devkit4ai.sandbox.Request
---@field route devkit4ai.sandbox.Route?  nil: no route matches
---@field path_params table<string, string>?
---@field route_miss devkit4ai.sandbox.RouteMiss?  why no route matches
---@field user devkit4ai.sandbox.User?  of the access token; written by authorize.lua, as the next four
---@field developer_key devkit4ai.sandbox.Key?
---@field project devkit4ai.sandbox.Project?  of the headers, or of the path
---@field role "developer"|"end_user"|nil  that a registration gives
---@field login_project_id string?  the project of the end user who logs in; nil: a developer
---@field query_params table?  written by app.lua, as the next two
---@field body table?  the fields of the JSON or form body
---@field upload devkit4ai.sandbox.GenerationUpload?

--- The context of a request, before any check.
---@param request devkit4ai.sandbox.Request
---@param router devkit4ai.sandbox.Router
---@return devkit4ai.sandbox.Context
function M.new(request, router)
  local route, path_params, miss = router:find(request.method, request.path)
  return { request = request, route = route, path_params = path_params, route_miss = miss }
end

return M
