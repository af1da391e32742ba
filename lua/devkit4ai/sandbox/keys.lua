--- Developer keys and project keys. Only a SHA-256 hash is kept; the full key leaves once, when it is made.
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.encoding"

local M = {}
local Keys = {}
Keys.__index = Keys

local PREFIXES = { developer = "ak_", project = "pk_" } -- the seed's (wire.md D01); 32 random characters follow (D02)

---@class devkit4ai.sandbox.Key
---@field id string
---@field kind "developer"|"project"
---@field owner_id string  the developer
---@field project_id string?  of a project key
---@field name string?
---@field key_prefix string  the key's first 8 characters
---@field is_active boolean
---@field last_used_at string?
---@field created_at string

---@param clock fun(): number Unix time
function M.new(clock)
  return setmetatable({ clock = clock, by_hash = {}, by_id = {}, by_holder = {} }, Keys)
end

local function hash(text)
  return digest.new("sha256"):final(text)
end

--- Makes a key. The text is returned here and nowhere else.
---@param kind "developer"|"project"
---@param about { owner_id: string, project_id: string?, name: string? }
---@return devkit4ai.sandbox.Key record
---@return string text
function Keys:issue(kind, about)
  local text = PREFIXES[kind] .. encoding.random_text()
  local record = {
    id = encoding.uuid(), kind = kind, owner_id = about.owner_id, project_id = about.project_id, name = about.name,
    key_prefix = text:sub(1, 8), is_active = true, created_at = encoding.timestamp(self.clock()),
  }
  local holder = record.project_id or record.owner_id
  local list = self.by_holder[holder] or {}
  list[#list + 1] = record
  self.by_hash[hash(text)], self.by_id[record.id], self.by_holder[holder] = record, record, list
  return record, text
end

--- The active key of a kind that a text is, noted as used; or nil.
---@param kind "developer"|"project"
---@param text string
---@return devkit4ai.sandbox.Key?
function Keys:use(kind, text)
  local record = self.by_hash[hash(text)]
  if not record or record.kind ~= kind or not record.is_active then return nil end
  record.last_used_at = encoding.timestamp(self.clock())
  return record
end

--- The key of a kind that has an id, also one that is revoked; or nil.
---@param kind "developer"|"project"
---@param id string
---@return devkit4ai.sandbox.Key?
function Keys:get(kind, id)
  local record = self.by_id[id:lower()]
  return record and record.kind == kind and record or nil
end

--- The keys of a project, also those that are revoked, oldest first.
---@param project_id string
---@return devkit4ai.sandbox.Key[]
function Keys:of_project(project_id)
  return self.by_holder[project_id] or {}
end

--- The active keys that a project has, or a developer as a developer, oldest first.
---@param holder_id string
---@return devkit4ai.sandbox.Key[]
function Keys:active_of(holder_id)
  local active = {}
  for _, record in ipairs(self.by_holder[holder_id] or {}) do
    if record.is_active then active[#active + 1] = record end
  end
  return active
end

return M
