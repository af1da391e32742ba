--- Developer keys: wire.md 3.1, rows 12 to 14.
local errors = require "devkit4ai.sandbox.errors"
local forms = require "devkit4ai.sandbox.forms"
local json = require "devkit4ai.sandbox.json"

local KEY_LIMIT = 10 -- active ones a developer may have, whatever the tier (wire.md 2.1)

-- A bare list in every dialect: no document wraps this one.
local function list_keys(state, request)
  return { status = 200, body = json.list(forms.developer_key, state.keys:active_of(request.user.id)) }
end

local function create_key(state, request)
  if #state.keys:active_of(request.user.id) >= KEY_LIMIT then return errors.of("E27") end
  local key, text = state.keys:issue("developer", { owner_id = request.user.id, name = request.values.name })
  return 201, forms.created_developer_key, setmetatable({ key = text }, { __index = key })
end

local function revoke_key(state, request)
  local key = state.keys:get("developer", request.parameters.key_id)
  if not key then return errors.of("E32") end
  if key.owner_id ~= request.user.id then return errors.of("E30") end
  if key == request.developer_key then return errors.of("E31") end
  if not key.is_active then return errors.of("E29") end
  key.is_active = false
  return forms.nothing
end

local PATH = "/api/v1/auth/developer-keys"

---@type table[]
return {
  { "GET", PATH, row = 12, name = "list_developer_keys", profile = "dev", forbidden = "E06", answer = list_keys },
  { "POST", PATH, row = 13, name = "create_developer_key", profile = "dev", forbidden = "E06", answer = create_key,
    fields = { { "name", max = 100 } } }, -- wire.md D06: the limit of E28
  { "DELETE", PATH .. "/{key_id}", row = 14, name = "revoke_developer_key", profile = "dev", answer = revoke_key },
}
