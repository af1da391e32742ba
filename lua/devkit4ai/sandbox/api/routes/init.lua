--- The routes of the API, group by group (wire.md 3.1). Each names its row there.
local GROUPS = {
  { "health" }, { "accounts", rate_limit = "auth_limit" }, { "developer_keys", rate_limit = "auth_limit" },
  { "projects", rate_limit = "management_limit" }, { "project_keys", rate_limit = "management_limit" },
  { "generations" },
}

---@class devkit4ai.sandbox.Route
---@field [1] string method
---@field [2] string path; {name} is a parameter
---@field name string  of the operation
---@field row integer  of wire.md 3.1
---@field profile string  the headers that authorize.lua checks
---@field handler fun(state: devkit4ai.sandbox.State, context: devkit4ai.sandbox.Context): devkit4ai.sandbox.Response
---@field json devkit4ai.sandbox.JsonField[]?  the fields of the JSON body
---@field form devkit4ai.sandbox.Parameter[]?  the fields of the form body
---@field upload "project"|"anonymous"|nil  the body is the upload of a generation
---@field query devkit4ai.sandbox.Parameter[]?
---@field owner_only boolean?  the project in the path must be the developer's
---@field forbidden string?  the error id where the user may not do this; default wire.md E05
---@field rate_limit string?  the setting that limits the group's requests

---@type devkit4ai.sandbox.Route[]
local routes = {}
for _, group in ipairs(GROUPS) do
  for _, route in ipairs(require("devkit4ai.sandbox.api.routes." .. group[1])) do
    route.rate_limit = group.rate_limit
    routes[#routes + 1] = route
  end
end
return routes
