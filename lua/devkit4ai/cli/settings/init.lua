--- The settings of a run, and where each came from: an option, the environment, --env-file, the file, else the default.
local config = require "devkit4ai.config"
local env_file = require "devkit4ai.cli.settings.env_file"
local exits = require "devkit4ai.cli.errors.exit_codes"
local file = require "devkit4ai.cli.settings.file"

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
  if options.env_file then variables, message, err = env_file.read(options.env_file) end
  if not variables then return nil, message, err end
  local settings = {}
  for _, row in ipairs(M.rows()) do
    local setting = resolve(row, options, variables, kept)
    settings[row.name] = setting
    if setting and row.secret then shell:hide(setting.value) end
  end
  return settings
end

--- Tells of a token among the settings, which the commands use in place of a login.
---@param settings table<string, devkit4ai.cli.Value>
---@param shell devkit4ai.cli.Shell
function M.tell_token(settings, shell)
  local token = settings.access_token
  if not token then return end
  shell:tell(("the %s still holds a token, which the other commands use: remove it there"):format(token.from))
end

local TRUTH = { ["true"] = true, ["1"] = true, ["false"] = false, ["0"] = false }

local FLAGS = { base_url = "--base-url", project_id = "--project", role = "--role", ca_file = "--ca-file" }

--- A failure of devkit4ai.new, with where the value came from that it refused.
---@param settings table<string, devkit4ai.cli.Value>
---@param message string
---@param err table
---@return nil
---@return string message
---@return table err
function M.refused(settings, message, err)
  local setting = settings[err.option]
  if not setting then return nil, message, err end
  local from = setting.from == "option" and "option " .. FLAGS[err.option] or setting.from
  return nil, ("%s (%s) can't be used: %s"):format(err.option, from, err._parts.what), err
end

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
      return exits.fail("config", ("%s (%s) must be true or false"):format(name, setting.from))
    end
    if not own[name] then given[name] = value end
  end
  return given
end

return M
