--- Routes of project keys: wire.md 3.1, rows 23 to 25.
local errors = require "devkit4ai.sandbox.api.errors"
local merge = require "devkit4ai.sandbox.util.merge"
local reply = require "devkit4ai.sandbox.api.reply"
local schemas = require "devkit4ai.sandbox.api.schemas"

local function create_key(state, context)
  local limit, project = state.settings.key_limit, context.project
  if limit and #state.keys:list_active(project.id) >= limit then return errors.response("api_key_limit_reached") end
  local key, text = state.keys:create("project",
    { owner_id = context.user.id, project_id = project.id, name = context.body.name })
  return reply.record(201, schemas.created_api_key, merge(key, { key = text }))
end

-- The list has revoked keys too, with is_active false.
local function list_keys(state, context)
  local keys = state.keys:list_by_project(context.project.id)
  return reply.list(state.dialect.list_envelope, schemas.api_key, keys, "api_keys")
end

local function revoke_key(state, context)
  local key = state.keys:get("project", context.path_params.api_key_id)
  if not key or key.project_id ~= context.project.id or not key.is_active then
    return errors.response("api_key_not_found")
  end
  state.keys:revoke(key)
  return reply.NO_CONTENT
end

local PATH = "/api/v1/projects/{project_id}/api-keys"

---@type devkit4ai.sandbox.Route[]
return {
  { "POST", PATH, row = 23, name = "create_api_key", profile = "developer", owner_only = true, handler = create_key,
    json = { { "name", max = 255 } } },
  { "GET", PATH, row = 24, name = "list_api_keys", profile = "developer", owner_only = true, handler = list_keys },
  { "DELETE", PATH .. "/{api_key_id}", row = 25, name = "revoke_api_key", profile = "developer", owner_only = true,
    handler = revoke_key },
}
