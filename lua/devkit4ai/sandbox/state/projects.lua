--- Projects. Each belongs to a developer.
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

---@class devkit4ai.sandbox.Projects
---@field private _now fun(): number
---@field private _records devkit4ai.sandbox.Records
---@field private _by_id table<string, devkit4ai.sandbox.Project>
---@field private _by_owner table<string, devkit4ai.sandbox.Project[]>
local Projects = {}
Projects.__index = Projects

---@class devkit4ai.sandbox.Project a project; only this module writes it
---@field id string
---@field name string
---@field description string?
---@field owner_id string  the developer
---@field is_active boolean
---@field created_at string
---@field updated_at string?
---@field is_deleted boolean?

---@param now fun(): number Unix time
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Projects
function M.new(now, records)
  local self = setmetatable({ _now = now, _records = records, _by_id = {}, _by_owner = {} }, Projects)
  for _, project in records:each "project" do self:_add(project) end
  return self
end

function Projects:_add(project)
  if project.is_deleted then return end
  local list = self._by_owner[project.owner_id] or {}
  list[#list + 1] = project
  self._by_id[project.id], self._by_owner[project.owner_id] = project, list
end

function Projects:_keep(project)
  self._records:put("project", project.id, project)
end

---@param owner_id string
---@param fields { name: string, description: string? }
---@return devkit4ai.sandbox.Project
function Projects:create(owner_id, fields)
  local project = {
    id = encoding.new_uuid(), name = fields.name, description = fields.description, owner_id = owner_id,
    is_active = true, created_at = encoding.timestamp(self._now()),
  }
  self:_add(project)
  self:_keep(project)
  return project
end

---@param id string
---@return devkit4ai.sandbox.Project?
function Projects:get(id)
  return self._by_id[id:lower()]
end

--- Changes a project.
---@param project devkit4ai.sandbox.Project
---@param changes { name: string?, description: string|false? } false: removes the description
function Projects:update(project, changes)
  project.name = changes.name or project.name
  if changes.description ~= nil then project.description = changes.description or nil end
  project.updated_at = encoding.timestamp(self._now())
  self:_keep(project)
end

---@param project devkit4ai.sandbox.Project
function Projects:delete(project)
  self._by_id[project.id] = nil
  project.is_deleted = true
  self:_keep(project)
  local list = self._by_owner[project.owner_id]
  for i, other in ipairs(list) do
    if other == project then return table.remove(list, i) end
  end
end

--- A developer's projects, oldest first.
---@param owner_id string
---@return devkit4ai.sandbox.Project[]
function Projects:list_by_owner(owner_id)
  return self._by_owner[owner_id] or {}
end

return M
