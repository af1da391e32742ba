--- The keys of a project: wire.md 3.1, rows 23 to 25.
local errors = require "devkit4ai.sandbox.errors"
local forms = require "devkit4ai.sandbox.forms"

local function create_key(state, request)
  local limit, project = state.settings.key_limit, request.project
  if limit and #state.keys:active_of(project.id) >= limit then return errors.of("keys_limited") end
  local key, text = state.keys:issue("project",
    { owner_id = request.user.id, project_id = project.id, name = request.values.name })
  return 201, forms.created_api_key, setmetatable({ key = text }, { __index = key })
end

-- Also those that are revoked, each of which says so.
local function list_keys(state, request)
  return 200, forms.api_key, state.keys:of_project(request.project.id), "api_keys"
end

local function revoke_key(state, request)
  local key = state.keys:get("project", request.parameters.api_key_id)
  if not key or key.project_id ~= request.project.id or not key.is_active then return errors.of("api_key_unknown") end
  key.is_active = false
  return forms.nothing
end

local PATH = "/api/v1/projects/{project_id}/api-keys"

---@type table[]
return {
  { "POST", PATH, row = 23, name = "create_api_key", profile = "dev", owned = true, answer = create_key,
    fields = { { "name", max = 255 } } },
  { "GET", PATH, row = 24, name = "list_api_keys", profile = "dev", owned = true, answer = list_keys },
  { "DELETE", PATH .. "/{api_key_id}", row = 25, name = "revoke_api_key", profile = "dev", owned = true,
    answer = revoke_key },
}
