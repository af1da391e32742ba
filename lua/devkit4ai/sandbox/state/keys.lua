--- Developer keys and project keys. Only a SHA-256 hash is stored; the full key is returned once, at its creation.
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

---@class devkit4ai.sandbox.Keys
---@field private _now fun(): number
---@field private _records devkit4ai.sandbox.Records
---@field private _by_hash table<string, devkit4ai.sandbox.Key>
---@field private _by_id table<string, devkit4ai.sandbox.Key>
---@field private _by_parent table<string, devkit4ai.sandbox.Key[]>  by the id of a project, or of a developer
local Keys = {}
Keys.__index = Keys

local PREFIXES = { developer = "ak_", project = "pk_" } -- the guide's (wire.md D01); 32 random characters follow (D02)

---@class devkit4ai.sandbox.Key a key; only this module writes it
---@field id string
---@field kind "developer"|"project"
---@field owner_id string  the developer
---@field project_id string?  of a project key
---@field name string?
---@field key_prefix string  the first 8 characters
---@field hash string  of the full key, in base64url
---@field is_active boolean  false: revoked
---@field last_used_at string?
---@field created_at string

---@param now fun(): number Unix time
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Keys
function M.new(now, records)
  local self = setmetatable({ _now = now, _records = records, _by_hash = {}, _by_id = {}, _by_parent = {} }, Keys)
  for _, key in records:each "key" do self:_add(key) end
  return self
end

function Keys:_add(key)
  local parent = key.project_id or key.owner_id
  local list = self._by_parent[parent] or {}
  list[#list + 1] = key
  self._by_hash[encoding.base64url_decode(key.hash)], self._by_id[key.id], self._by_parent[parent] = key, key, list
end

function Keys:_keep(key)
  self._records:put("key", key.id, key)
end

local function hash(text)
  return digest.new("sha256"):final(text)
end

--- Makes a key.
---@param kind "developer"|"project"
---@param fields { owner_id: string, project_id: string?, name: string? }
---@return devkit4ai.sandbox.Key key
---@return string text the full key, which is stored nowhere
function Keys:create(kind, fields)
  local text = PREFIXES[kind] .. encoding.random_secret()
  local key = {
    id = encoding.new_uuid(), kind = kind, owner_id = fields.owner_id, project_id = fields.project_id,
    name = fields.name, key_prefix = text:sub(1, 8), is_active = true, created_at = encoding.timestamp(self._now()),
    hash = encoding.base64url_encode(hash(text)),
  }
  self:_add(key)
  self:_keep(key)
  return key, text
end

--- Finds the active key of a text, and sets its last_used_at.
---@param kind "developer"|"project"
---@param text string
---@return devkit4ai.sandbox.Key? key nil: unknown, of the other kind, or revoked
function Keys:authenticate(kind, text)
  local key = self._by_hash[hash(text)]
  if not key or key.kind ~= kind or not key.is_active then return nil end
  local time = encoding.timestamp(self._now())
  if key.last_used_at ~= time then
    key.last_used_at = time
    self:_keep(key)
  end
  return key
end

--- Finds a key by its id, also one that is revoked.
---@param kind "developer"|"project"
---@param id string
---@return devkit4ai.sandbox.Key?
function Keys:get(kind, id)
  local key = self._by_id[id:lower()]
  return key and key.kind == kind and key or nil
end

---@param key devkit4ai.sandbox.Key
function Keys:revoke(key)
  key.is_active = false
  self:_keep(key)
end

--- The keys of a project, also those that are revoked, oldest first.
---@param project_id string
---@return devkit4ai.sandbox.Key[]
function Keys:list_by_project(project_id)
  return self._by_parent[project_id] or {}
end

--- The active keys of a project, or the active developer keys of a developer, oldest first.
---@param parent_id string of the project, or of the developer
---@return devkit4ai.sandbox.Key[]
function Keys:list_active(parent_id)
  local active = {}
  for _, key in ipairs(self._by_parent[parent_id] or {}) do
    if key.is_active then active[#active + 1] = key end
  end
  return active
end

return M
