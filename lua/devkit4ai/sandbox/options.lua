--- The settings of a sandbox as rows: the command makes its options of them, start{} its checks. Needs nothing
--- but plain Lua, since start{} runs in the user's program.
local dialect = require "devkit4ai.sandbox.dialect"

local M = {}

---@class devkit4ai.sandbox.Option
---@field [1] string name in start{}; the command's has dashes
---@field kind "seconds"|"count"|"choice"|"dialect"
---@field default (number|string)?
---@field min number? of a number
---@field max number?
---@field values string[]? of a choice
---@field free integer? of a limit: what it is in a tier that has it (wire.md 4.5), where it is not given
---@field starter integer?
---@field premium integer?
---@field help string

---@type devkit4ai.sandbox.Option[]
M.rows = {
  { "port", kind = "count", default = 0, min = 0, max = 65535, help = "port of the API; 0: any free one" },
  { "step_time", kind = "seconds", default = 2, min = 0,
    help = "seconds a generation is pending, and again processing" },
  { "access_life", kind = "seconds", default = 1800, min = 0, help = "seconds an access token is good for" },
  { "refresh_life", kind = "seconds", default = 604800, min = 0, help = "seconds a refresh token is good for" },
  { "activation", kind = "choice", values = { "at_once", "verified" }, default = "at_once",
    help = "when a new account can log in: at_once, or when its address is verified" },
  { "tier", kind = "choice", values = { "none", "free", "starter", "premium" }, default = "none",
    help = "whose limits hold where the options below give none; none: no limits" },
  { "project_limit", kind = "count", min = 0, free = 5, starter = 20, help = "projects a developer may have" },
  { "key_limit", kind = "count", min = 0, free = 3, starter = 10, help = "active keys a project may have" },
  { "user_limit", kind = "count", min = 0, free = 100, starter = 10000, help = "end users a project may have" },
  { "generation_limit", kind = "count", min = 0, free = 1, starter = 3, premium = 10,
    help = "generations a user may have under way" },
  { "monthly_generation_limit", kind = "count", min = 0, free = 100, starter = 1000,
    help = "generations in 30 days in all projects of a developer" },
  { "anonymous_limit", kind = "count", min = 0, free = 10, help = "anonymous generations a day" },
  { "request_limit", kind = "count", min = 0, help = "requests an hour" },
  { "daily_request_limit", kind = "count", min = 0, free = 1000, starter = 10000, premium = 100000,
    help = "requests a day" },
  { "auth_limit", kind = "count", min = 0, free = 100, starter = 500, premium = 2000,
    help = "requests an hour to /api/v1/auth/" },
  { "management_limit", kind = "count", min = 0, free = 1000, starter = 10000,
    help = "requests a day to /api/v1/projects/" },
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
  choice = {
    argname = "<word>", read = function(text) return text end, write = function(value) return value end,
    complaint = function(row, value)
      for _, known in ipairs(row.values) do
        if value == known then return nil end
      end
      return ("%s must be one of: %s"):format(row[1], table.concat(row.values, ", "))
    end,
  },
  dialect = {
    argname = "<words>", read = function(text) return text end,
    write = function(value) return dialect.text(dialect.resolve(value)) end,
    complaint = function(_, value) return select(2, dialect.resolve(value)) end,
  },
}

--- The settings of a sandbox: what was given, else the tier's or the default.
---@param given table<string, any>
---@return devkit4ai.sandbox.Settings
function M.settle(given)
  local settings = {}
  for _, row in ipairs(M.rows) do
    local value = given[row[1]]
    if value == nil then value = row.default or row[given.tier or "none"] end
    settings[row[1]] = value
  end
  return settings
end

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
