--- The settings of a sandbox, as rows: the command's options and the checks of start{} follow from them. Plain Lua,
--- since start{} runs in the user's program.
local dialect = require "devkit4ai.sandbox.dialect"

local M = {}

---@class devkit4ai.sandbox.Option
---@field [1] string name in start{}; the command's option has dashes
---@field kind "seconds"|"count"|"choice"|"folder"|"dialect"
---@field default (number|string)?
---@field min number? of a number
---@field max number?
---@field values string[]? of a choice
---@field free integer? of a limit: its default in the tier "free" (wire.md 4.5)
---@field starter integer?
---@field premium integer?
---@field help string

---@type devkit4ai.sandbox.Option[]
M.rows = {
  { "port", kind = "count", default = 0, min = 0, max = 65535, help = "port of the API; 0: any free port" },
  { "data", kind = "folder", help = "folder that keeps accounts, keys, projects and generations for the next start" },
  { "step_time", kind = "seconds", default = 2, min = 0,
    help = "seconds that a generation is pending, and then processing" },
  { "access_life", kind = "seconds", default = 1800, min = 0, help = "seconds until an access token expires" },
  { "refresh_life", kind = "seconds", default = 604800, min = 0, help = "seconds until a refresh token expires" },
  { "activation", kind = "choice", values = { "at_once", "verified" }, default = "at_once",
    help = "when a new account can log in: at_once, or after its address is verified" },
  { "tier", kind = "choice", values = { "none", "free", "starter", "premium" }, default = "none",
    help = "the tier that sets the limits below; none: no limits" },
  { "project_limit", kind = "count", min = 0, free = 5, starter = 20, help = "projects a developer may have" },
  { "key_limit", kind = "count", min = 0, free = 3, starter = 10, help = "active keys a project may have" },
  { "user_limit", kind = "count", min = 0, free = 100, starter = 10000, help = "end users a project may have" },
  { "generation_limit", kind = "count", min = 0, free = 1, starter = 3, premium = 10,
    help = "unfinished generations a user may have" },
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
  { "dialect", kind = "dialect", default = "seed", help = "the form of the responses: see below" },
}

local function number_kind(description, is_whole)
  return {
    argname = "<n>", parse = tonumber, format = function(value) return ("%.14g"):format(value) end,
    check = function(row, value)
      local max = row.max or 1e9
      if type(value) == "number" and value >= row.min and value <= max and (not is_whole or value % 1 == 0) then
        return nil
      end
      return ("%s must be a %s from %d to %d"):format(row[1], description, row.min, max)
    end,
  }
end

-- kind -> parse and format: from and to the text on the command line; check: gives a message about a wrong value
local KINDS = {
  seconds = number_kind("number of seconds"), count = number_kind("whole number", true),
  choice = {
    argname = "<word>", parse = function(text) return text end, format = function(value) return value end,
    check = function(row, value)
      for _, known in ipairs(row.values) do
        if value == known then return nil end
      end
      return ("%s must be one of: %s"):format(row[1], table.concat(row.values, ", "))
    end,
  },
  folder = {
    argname = "<folder>", parse = function(text) return text end,
    format = function(value) -- a shell and argparse take it as it is
      return "'" .. value:gsub("^%-", "./-"):gsub("'", [['\'']]) .. "'"
    end,
    check = function(row, value)
      if type(value) ~= "string" or value == "" or value:find "%z" then return row[1] .. " must be a folder's path" end
    end,
  },
  dialect = {
    argname = "<words>", parse = function(text) return text end,
    format = function(value) return dialect.format(dialect.resolve(value)) end,
    check = function(_, value) return select(2, dialect.resolve(value)) end,
  },
}

--- The settings of a sandbox: the given values, with the defaults or the tier's limits for the others.
---@param given table<string, any>
---@return devkit4ai.sandbox.Settings
function M.with_defaults(given)
  local settings = {}
  for _, row in ipairs(M.rows) do
    local value = given[row[1]]
    if value == nil then value = row.default or row[given.tier or "none"] end
    settings[row[1]] = value
  end
  return settings
end

--- The command's option of a row: --step-time for step_time.
---@param row devkit4ai.sandbox.Option
---@return string
function M.flag(row)
  return "--" .. row[1]:gsub("_", "-")
end

--- The placeholder of the value in the command's help.
---@param row devkit4ai.sandbox.Option
---@return string
function M.argname(row)
  return KINDS[row.kind].argname
end

--- Parses a value on the command line.
---@param row devkit4ai.sandbox.Option
---@param text string
---@return any value
---@return string? problem
function M.parse(row, text)
  local value = KINDS[row.kind].parse(text)
  local problem = M.check(row, value)
  if problem then return nil, problem end
  return value
end

--- Formats a value for the command line of a shell.
---@param row devkit4ai.sandbox.Option
---@param value any
---@return string
function M.format(row, value)
  return KINDS[row.kind].format(value)
end

--- Checks a value.
---@param row devkit4ai.sandbox.Option
---@param value any
---@return string? problem
function M.check(row, value)
  return KINDS[row.kind].check(row, value)
end

return M
