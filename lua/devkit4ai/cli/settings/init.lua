--- The settings of a run and their sources: option, environment, --env-file, settings file, default.
local config = require "devkit4ai.config"
local env_file = require "devkit4ai.cli.settings.env_file"
local errors = require "devkit4ai.cli.errors"
local messages = require "devkit4ai.cli.errors.messages"
local settings_file = require "devkit4ai.cli.settings.file"

local M = {}

---@class devkit4ai.cli.Setting
---@field value string
---@field from string where the value comes from
---@field row devkit4ai.Setting

-- Settings of the command alone. A password is never stored.
local COMMAND_ROWS = {
  { name = "email", type = "string", env = { "DEVKIT4AI_EMAIL" }, secret = false },
  { name = "queue", type = "string", env = { "DEVKIT4AI_QUEUE" }, secret = true },
  { name = "password", type = "string", env = { "DEVKIT4AI_PASSWORD" }, secret = true, never_stored = true },
}

--- Every setting.
---@return devkit4ai.Setting[]
function M.rows()
  local rows = config.settings()
  for _, row in ipairs(COMMAND_ROWS) do rows[#rows + 1] = row end
  table.sort(rows, function(one, other) return one.name < other.name end)
  return rows
end

--- The settings that the file may have, by name.
---@return table<string, devkit4ai.Setting>
function M.file_rows()
  local rows = {}
  for _, row in ipairs(M.rows()) do rows[row.name] = not row.never_stored and row or nil end
  return rows
end

local function first_value(names, get, prefix)
  for _, name in ipairs(names) do
    local value = get(name)
    if value and value ~= "" then return value, prefix .. name end
  end
end

local function resolve(row, options, variables, stored)
  local value, from = options[row.name], "option"
  if value == nil then value, from = first_value(row.env, os.getenv, "environment variable ") end
  if value == nil then
    value, from = first_value(row.env, function(name) return variables[name] end, (options.env_file or "") .. ": ")
  end
  if value == nil then value, from = stored[row.name], "settings file" end
  if value == nil then value, from = row.default, "default" end
  if value ~= nil then return { value = tostring(value), from = from, row = row } end
end

--- Loads the settings.
---@param options table of the command line
---@param console devkit4ai.cli.Console it redacts the secrets from now on
---@return table<string, devkit4ai.cli.Setting>? settings
---@return string? message
---@return table? err
function M.load(options, console)
  local stored, message, err = settings_file.read(M.file_rows())
  if not stored then return nil, message, err end
  local variables = {}
  if options.env_file then variables, message, err = env_file.read(options.env_file) end
  if not variables then return nil, message, err end
  local settings = {}
  for _, row in ipairs(M.rows()) do
    local setting = resolve(row, options, variables, stored)
    settings[row.name] = setting
    if setting and row.secret then console:hide_secret(setting.value) end
  end
  return settings
end

--- Warns that the commands use a token of the settings, and not the login.
---@param settings table<string, devkit4ai.cli.Setting>
---@param console devkit4ai.cli.Console
function M.warn_about_token(settings, console)
  local token = settings.access_token
  if not token then return end
  console:info(("the %s still holds a token, which the other commands use: remove it there"):format(token.from))
end

local BOOLEANS = { ["true"] = true, ["1"] = true, ["false"] = false, ["0"] = false }

local OPTIONS = { base_url = "--base-url", project_id = "--project", role = "--role", ca_file = "--ca-file" }

--- The failure of devkit4ai.new, with the source of the refused value.
---@param settings table<string, devkit4ai.cli.Setting>
---@param message string
---@param err table
---@return nil
---@return string message
---@return table err
function M.refused(settings, message, err)
  local setting = settings[err.option]
  if not setting then return nil, message, err end
  local from = setting.from == "option" and "option " .. OPTIONS[err.option] or setting.from
  return nil, ("%s (%s) can't be used: %s"):format(err.option, from, messages.text(err.message, err)), err
end

--- The options of a client.
---@param settings table<string, devkit4ai.cli.Setting>
---@return table? options
---@return string? message
---@return table? err
function M.client_options(settings)
  local options, is_own = {}, {}
  for _, row in ipairs(COMMAND_ROWS) do is_own[row.name] = true end
  for name, setting in pairs(settings) do
    local value = setting.value
    if setting.row.type == "boolean" then value = BOOLEANS[value] end
    if value == nil then
      return errors.fail("config", ("%s (%s) must be true or false"):format(name, setting.from))
    end
    if not is_own[name] then options[name] = value end
  end
  return options
end

return M
