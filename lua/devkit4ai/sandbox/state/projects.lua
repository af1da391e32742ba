--- Projects, each owned by a developer.
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}
local Projects = {}
Projects.__index = Projects

---@class devkit4ai.sandbox.Project
---@field id string
---@field name string
---@field description string?
---@field owner_id string
---@field is_active boolean
---@field created_at string
---@field updated_at string?

---@param clock fun(): number Unix time
function M.new(clock)
  return setmetatable({ clock = clock, by_id = {}, by_owner = {} }, Projects)
end

---@param owner_id string
---@param fields { name: string, description: string? }
---@return devkit4ai.sandbox.Project
function Projects:create(owner_id, fields)
  local project = {
    id = encoding.uuid(), name = fields.name, description = fields.description, owner_id = owner_id,
    is_active = true, created_at = encoding.timestamp(self.clock()),
  }
  local list = self:of(owner_id)
  list[#list + 1] = project
  self.by_id[project.id], self.by_owner[owner_id] = project, list
  return project
end

---@param id string
---@return devkit4ai.sandbox.Project?
function Projects:get(id)
  return self.by_id[id:lower()]
end

--- Forgets a project.
---@param project devkit4ai.sandbox.Project
function Projects:delete(project)
  self.by_id[project.id] = nil
  local list = self:of(project.owner_id)
  for i, other in ipairs(list) do
    if other == project then return table.remove(list, i) end
  end
end

--- A developer's projects, oldest first.
---@param owner_id string
---@return devkit4ai.sandbox.Project[]
function Projects:of(owner_id)
  return self.by_owner[owner_id] or {}
end

return M
