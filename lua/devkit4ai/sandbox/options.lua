--- The settings of a sandbox as rows: the command makes its options of them, start{} its checks. Needs nothing
--- but plain Lua, since start{} runs in the user's program.
local dialect = require "devkit4ai.sandbox.dialect"

local M = {}

---@class devkit4ai.sandbox.Option
---@field [1] string name in start{}; the command's has dashes
---@field kind "seconds"|"count"|"dialect"
---@field default (number|string)?
---@field min number? of a number
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
  { "dialect", kind = "dialect", default = "seed", help = "the form of the answers: see below" },
}

local function number(says, whole)
  return {
    argname = "<n>", read = tonumber, write = function(value) return ("%.14g"):format(value) end,
    complaint = function(row, value)
      local max = row.max or 1e9
      if type(value) == "number" and value >= row.min and value <= max and (not whole or value % 1 == 0) then
        return nil
      end
      return ("%s must be a %s from %d to %d"):format(row[1], says, row.min, max)
    end,
  }
end

-- kind -> read: of the command line's text; write: a text for the command line; complaint: what is wrong with a value
local KINDS = {
  seconds = number("number of seconds"), count = number("whole number", true),
  dialect = {
    argname = "<words>", read = function(text) return text end,
    write = function(value) return dialect.text(dialect.resolve(value)) end,
    complaint = function(_, value) return select(2, dialect.resolve(value)) end,
  },
}

--- The command's spelling of an option.
---@param row devkit4ai.sandbox.Option
---@return string
function M.flag(row)
  return "--" .. row[1]:gsub("_", "-")
end

--- What stands for a value in the command's help.
---@param row devkit4ai.sandbox.Option
---@return string
function M.argname(row)
  return KINDS[row.kind].argname
end

--- The value of a text of the command line; or nil and what is wrong with it.
---@param row devkit4ai.sandbox.Option
---@param text string
---@return any value
---@return string? complaint
function M.read(row, text)
  local value = KINDS[row.kind].read(text)
  local complaint = M.complaint(row, value)
  if complaint then return nil, complaint end
  return value
end

--- A value as the command line has it; no character of it means anything to a shell.
---@param row devkit4ai.sandbox.Option
---@param value any
---@return string
function M.write(row, value)
  return KINDS[row.kind].write(value)
end

--- What is wrong with a value, or nil.
---@param row devkit4ai.sandbox.Option
---@param value any
---@return string?
function M.complaint(row, value)
  return KINDS[row.kind].complaint(row, value)
end

return M
