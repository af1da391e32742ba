--- The settings of a run, and where each came from: an option, the environment, --env-file, the file, else the default.
local config = require "devkit4ai.config"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"

local M = {}

---@class devkit4ai.cli.Value
---@field value string
---@field from string
---@field row devkit4ai.Setting

-- the command's own, beside the client's options; a password is kept nowhere
local OWN = {
  { name = "email", type = "string", env = { "DEVKIT4AI_EMAIL" }, secret = false },
  { name = "password", type = "string", env = { "DEVKIT4AI_PASSWORD" }, secret = true, passing = true },
}

--- Every setting.
---@return devkit4ai.Setting[]
function M.rows()
  local rows = config.settings()
  for _, row in ipairs(OWN) do rows[#rows + 1] = row end
  table.sort(rows, function(one, other) return one.name < other.name end)
  return rows
end

--- Those that may stand in the file, by name.
---@return table<string, devkit4ai.Setting>
function M.kept()
  local known = {}
  for _, row in ipairs(M.rows()) do known[row.name] = not row.passing and row or nil end
  return known
end

-- `export NAME="value"`, as shells have it; only lines of our own must be readable.
local function parse_variable(line)
  local name, value = line:match("^%s*([%w_]+)=(.-)%s*$")
  if not name then name, value = line:match("^%s*export%s+([%w_]+)=(.-)%s*$") end
  if not name then return nil end
  return name, value:match('^"([^"]*)"$') or value:match("^'([^']*)'$") or value
end

local function read_env_file(path)
  local input, why = io.open(path, "rb")
  local content = input and input:read("*a")
  if input then input:close() end
  if not content then return exits.fail("file", "--env-file: " .. (why or path .. ": it can't be read")) end
  local variables, number = {}, 0
  for line in (content .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local name, value = parse_variable(line)
    if not name and line:find("^%s*DEVKIT4AI_") then
      return exits.fail("file", ("%s: line %d is no NAME=value"):format(path, number))
    end
    if name then variables[name] = value end
  end
  return variables
end

local function first(names, look, from)
  for _, name in ipairs(names) do
    local value = look(name)
    if value and value ~= "" then return value, from .. name end
  end
end

local function resolve(row, options, variables, kept)
  local value, from = options[row.name], "option"
  if value == nil then value, from = first(row.env, os.getenv, "environment variable ") end
  if value == nil then
    value, from = first(row.env, function(name) return variables[name] end, (options.env_file or "") .. ": ")
  end
  if value == nil then value, from = kept[row.name], "settings file" end
  if value == nil then value, from = row.default, "default" end
  if value ~= nil then return { value = tostring(value), from = from, row = row } end
end

--- Settles them.
---@param options table of the command line
---@param shell devkit4ai.cli.Shell which hides the secrets from now on
---@return table<string, devkit4ai.cli.Value>? settings
---@return string? message
---@return table? err
function M.read(options, shell)
  local kept, message, err = file.read(M.kept())
  if not kept then return nil, message, err end
  local variables = {}
  if options.env_file then variables, message, err = read_env_file(options.env_file) end
  if not variables then return nil, message, err end
  local settings = {}
  for _, row in ipairs(M.rows()) do
    local setting = resolve(row, options, variables, kept)
    settings[row.name] = setting
    if setting and row.secret then shell:hide(setting.value) end
  end
  return settings
end

local TRUTH = { ["true"] = true, ["1"] = true, ["false"] = false, ["0"] = false }

--- The options of a client, as the settings have them.
---@param settings table<string, devkit4ai.cli.Value>
---@return table? options
---@return string? message
---@return table? err
function M.client_options(settings)
  local given, own = {}, {}
  for _, row in ipairs(OWN) do own[row.name] = true end
  for name, setting in pairs(settings) do
    local value = setting.value
    if setting.row.type == "boolean" then value = TRUTH[value] end
    if value == nil then
      return exits.fail("config", ("%s of %s must be true or false"):format(name, setting.from))
    end
    if not own[name] then given[name] = value end
  end
  return given
end

return M
