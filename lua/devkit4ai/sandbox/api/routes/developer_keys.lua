--- Routes of developer keys: wire.md 3.1, rows 12 to 14.
local errors = require "devkit4ai.sandbox.api.errors"
local merge = require "devkit4ai.sandbox.util.merge"
local reply = require "devkit4ai.sandbox.api.reply"
local schemas = require "devkit4ai.sandbox.api.schemas"

local KEY_LIMIT = 10 -- active keys of a developer, in every tier (wire.md 2.1)

-- A bare list in every dialect: no document shows it in an envelope.
local function list_keys(state, context)
  return reply.list("array", schemas.developer_key, state.keys:list_active(context.user.id))
end

local function create_key(state, context)
  if #state.keys:list_active(context.user.id) >= KEY_LIMIT then return errors.response("E27") end
  local key, text = state.keys:create("developer", { owner_id = context.user.id, name = context.body.name })
  return reply.record(201, schemas.created_developer_key, merge(key, { key = text }))
end

local function revoke_key(state, context)
  local key = state.keys:get("developer", context.path_params.key_id)
  if not key then return errors.response("E32") end
  if key.owner_id ~= context.user.id then return errors.response("E30") end
  if key == context.developer_key then return errors.response("E31") end
  if not key.is_active then return errors.response("E29") end
  state.keys:revoke(key)
  return reply.NO_CONTENT
end

local PATH = "/api/v1/auth/developer-keys"

---@type devkit4ai.sandbox.Route[]
return {
  { "GET", PATH, row = 12, name = "list_developer_keys", profile = "developer", forbidden = "E06",
    handler = list_keys },
  { "POST", PATH, row = 13, name = "create_developer_key", profile = "developer", forbidden = "E06",
    handler = create_key, json = { { "name", max = 100 } } }, -- wire.md D06: the limit of E28
  { "DELETE", PATH .. "/{key_id}", row = 14, name = "revoke_developer_key", profile = "developer",
    handler = revoke_key },
}
