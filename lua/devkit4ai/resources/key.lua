--- A key, as the server told of it: a project's API key, or a developer key.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local object = require "devkit4ai.util.object"

---@class devkit4ai.Key
---@field id string
---@field name string? what it was called when it was made
---@field key string? the key itself: once, when it is made
---@field key_prefix string? the first characters of the key
---@field project_id string? of a project's key
---@field is_active boolean? false: it was revoked
---@field last_used_at string? ISO 8601; it may be a minute late
---@field created_at string? ISO 8601
---@field raw table the decoded answer, without the key
local Key = {}
Key.__name = "devkit4ai.Key"

function Key:__tostring()
  return ("devkit4ai.Key %s (%s)"):format(self.name or "unnamed", self.key_prefix or self.id)
end

local M = {}

-- How the key of each kind is revoked, and what its id is called there.
local KINDS = {
  project = { operation = "revoke_api_key", id = "api_key_id" },
  developer = { operation = "revoke_developer_key", id = "key_id" },
}

--- Makes the answer of a key an object.
---@param fields table an answer in its normal form
---@param scope devkit4ai.Scope the client of a developer key, or the project of its own
---@param kind "developer"|"project"
---@return devkit4ai.Key
function M.new(fields, scope, kind)
  return object.new(Key, fields, { _scope = scope, _kind = kind })
end

--- The same for each of a list.
---@param list table[] answers in their normal form
---@param scope devkit4ai.Scope
---@param kind "developer"|"project"
---@return devkit4ai.Key[] list the same table
function M.each(list, scope, kind)
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
  local row = KINDS[kind]
  return call.run(scope, row.operation, { project_id = scope.id, [row.id] = id }, extra)
end

--- Revokes it, at once and for good: whoever still uses it is refused. The server does not let a developer key revoke itself:
--- client:rotate_developer_key makes a new one first. A repeat after a success finds no key (`not_found`).
--- ```lua
--- assert(key:revoke())
--- ```
---@param options (devkit4ai.Own|number)?
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `forbidden`: it is the key in use, or somebody else's
function Key:revoke(options)
  return M.revoke(self._scope, self._kind, self.id, validate.own("key:revoke", options))
end

return M
