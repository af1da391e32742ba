--- A project's API key, as the server told of it.
---@class devkit4ai.Key
---@field id string
---@field name string?
---@field key string? the key itself: once, when it is made
---@field key_prefix string?
---@field project_id string?
---@field is_active boolean?
---@field last_used_at string?
---@field created_at string?
---@field raw table the decoded answer, without the key
local Key = {}
Key.__index = Key
Key.__name = "devkit4ai.Key"

function Key:__tostring()
  return ("devkit4ai.Key %s (%s)"):format(self.name or "unnamed", self.key_prefix or self.id)
end

local M = {}

---@param fields table an answer in its normal form
---@return devkit4ai.Key
function M.new(fields)
  return setmetatable(fields, Key)
end

return M
