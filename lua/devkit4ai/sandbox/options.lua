--- The settings of a sandbox as rows: the command makes its options of them, start{} its checks. Needs nothing
--- but plain Lua, since start{} runs in the user's program.
local M = {}

---@class devkit4ai.sandbox.Option
---@field [1] string name in start{}; the command's has dashes
---@field kind "seconds"|"count"
---@field default number?
---@field min number
---@field max number?
---@field help string

---@type devkit4ai.sandbox.Option[]
M.rows = {
  { "port", kind = "count", default = 0, min = 0, max = 65535, help = "port of the API; 0: any free one" },
  { "step_time", kind = "seconds", default = 2, min = 0,
    help = "seconds a generation is pending, and again processing" },
  { "access_life", kind = "seconds", default = 1800, min = 0, help = "seconds an access token is good for" },
  { "refresh_life", kind = "seconds", default = 604800, min = 0, help = "seconds a refresh token is good for" },
  { "project_limit", kind = "count", min = 0, help = "projects a developer may have (no limit)" },
  { "generation_limit", kind = "count", min = 0, help = "generations a user may have under way (no limit)" },
  { "request_limit", kind = "count", min = 0, help = "requests an hour (no limit)" },
}

--- The command's spelling of an option.
---@param row devkit4ai.sandbox.Option
---@return string
function M.flag(row)
  return "--" .. row[1]:gsub("_", "-")
end

--- What is wrong with a value, or nil.
---@param row devkit4ai.sandbox.Option
---@param value any
---@return string?
function M.complaint(row, value)
  if type(value) == "number" and value >= row.min and value <= (row.max or 1e9)
    and (row.kind == "seconds" or value % 1 == 0) then
    return nil
  end
  return ("%s must be a %s from %d to %d"):format(row[1], row.kind == "count" and "whole number" or "number of seconds",
    row.min, row.max or 1e9)
end

return M
