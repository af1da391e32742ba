--- A key of the API: a project's API key, or a developer key.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local object = require "devkit4ai.util.object"

---@class devkit4ai.Key
---@field id string
---@field name string? that it was created with
---@field key string? the key itself: only when it is created
---@field key_prefix string? the first characters of the key
---@field project_id string? of a project's key
---@field is_active boolean? false: it was revoked
---@field last_used_at string? ISO 8601; it may be a minute late
---@field created_at string? ISO 8601
---@field raw table the decoded response, without the key
---@field private _scope devkit4ai.Scope the client of a developer key, or the project
---@field private _kind "developer"|"project"
local Key = {}
Key.__name = "devkit4ai.Key"

function Key:__tostring()
  return ("devkit4ai.Key %s (%s)"):format(self.name or "unnamed", self.key_prefix or self.id)
end

local M = {}

-- By kind: the operations that list and revoke keys, and the parameter for a key's id.
local OPERATIONS = {
  project = { list = "list_api_keys", revoke = "revoke_api_key", id = "api_key_id" },
  developer = { list = "list_developer_keys", revoke = "revoke_developer_key", id = "key_id" },
}

--- Makes an object of a key.
---@param fields table of a response in its normal form
---@param scope devkit4ai.Scope the client of a developer key, or the project
---@param kind "developer"|"project"
---@return devkit4ai.Key
function M.new(fields, scope, kind)
  return object.new(Key, fields, { _scope = scope, _kind = kind })
end

--- Lists the keys of a kind.
---@param scope devkit4ai.Scope the client, or a project
---@param kind "developer"|"project"
---@param call_name string
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key[]?
---@return string? message
---@return devkit4ai.Error? err
function M.list(scope, kind, call_name, options)
  local extra = validate.call_options(call_name, options)
  local list, message, err = call.run(scope, OPERATIONS[kind].list, { project_id = scope.id }, extra)
  if not list then return nil, message, err end
  for i, fields in ipairs(list) do list[i] = M.new(fields, scope, kind) end
  return list
end

--- Revokes a key by its id.
---@param scope devkit4ai.Scope
---@param kind "developer"|"project"
---@param id string
---@param extra table? for call.run
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.revoke(scope, kind, id, extra)
  local row = OPERATIONS[kind]
  return call.run(scope, row.revoke, { project_id = scope.id, [row.id] = id }, extra)
end

--- Revokes it at once and permanently: the API refuses it from then on. A developer key can't revoke itself: use
--- client:rotate_developer_key, which creates a new one first. A second call after a success fails with `not_found`.
--- ```lua
--- assert(key:revoke())
--- ```
---@param options (devkit4ai.Own|number)?
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `forbidden`: the key is in use by this client, or belongs to another account
function Key:revoke(options)
  return M.revoke(self._scope, self._kind, self.id, validate.call_options("key:revoke", options))
end

return M
