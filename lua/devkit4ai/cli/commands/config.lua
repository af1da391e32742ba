--- devkit4ai config: shows each setting with its source, or changes the settings file.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local errors = require "devkit4ai.cli.errors"
local logins = require "devkit4ai.cli.settings.logins"
local proxies = require "devkit4ai.request.proxy"
local settings_file = require "devkit4ai.cli.settings.file"
local settings_loader = require "devkit4ai.cli.settings"
local user_input = require "devkit4ai.cli.input.user_input"

local M = { name = "config", summary = "Show or change the settings." }

M.examples = {
  { "devkit4ai config", "each setting, and where it comes from; keys are masked" },
  { "devkit4ai config --set base_url=https://api.vibecoding.ad" },
  { "devkit4ai config --set developer_key", "asks for the key" },
  { "devkit4ai config --set project_key --stdin < project.key" },
  { "devkit4ai config --unset role" },
}
M.notes = "A key or token is never an argument, because other users of the machine can see arguments."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:mutex(
    parser:option("--set", "write a setting to the settings file; a key has no =<value>: it is asked for, or read "
      .. "with --stdin or --file")
      :argname("<name>[=<value>]"),
    parser:option("--unset", "remove a setting from the settings file"):argname("<name>"))
  parser:mutex(
    parser:flag("--stdin", "read the value from standard input"),
    parser:option("--file", "read the value from the first line of a file"):argname("<file>"))
end

local function masked_value(setting)
  if setting.row.secret then return "***" end
  if setting.row.name == "email" then return setting.value end
  return (setting.value:gsub("^(%a*:?/?/?)[^/]*@", "%1***@")) -- the user and password of an address
end

-- The source of a value, short enough for a line of 80 columns.
local function source_of(record)
  if not record.role then return (record.from:gsub("^environment variable ", "$")) end
  return ("%s%s at %s, until %s"):format(record.role, record.project_id and " of " .. record.project_id or "",
    record.base_url, record.ends or "an unknown time")
end

local function file_record()
  local folder = settings_file.folder()
  return {
    name = "settings_file", value = folder and folder .. "/config",
    from = not folder and "set HOME or XDG_CONFIG_HOME" or settings_file.exists() and "read"
      or "there is no such file yet",
  }
end

local function show(options, console)
  local settings, message, err = settings_loader.load(options, console)
  if not settings then return nil, message, err end
  local records = {}
  for _, row in ipairs(settings_loader.rows()) do
    local setting = settings[row.name]
    if setting then
      records[#records + 1] = { name = row.name, value = masked_value(setting), from = setting.from }
    else
      records[#records + 1] = { name = row.name, from = "not set" }
    end
  end
  records[#records + 1] = file_record()
  for _, login in ipairs(logins.list()) do
    records[#records + 1] = {
      name = "login", value = login.who, from = logins.path(), role = login.role, base_url = login.base_url,
      project_id = login.project_id, ends = login.ends,
    }
  end
  console:print_list(records, function(record)
    return { record.name, record.value or "-", source_of(record) }
  end, true)
  return true
end

local function row_of(name)
  if name == "" then return errors.fail("invalid", "a name is missing: --set NAME=VALUE, or --unset NAME") end
  local rows, names = settings_loader.file_rows(), {}
  if rows[name] then return rows[name] end
  for known in pairs(rows) do names[#names + 1] = known end
  table.sort(names)
  return errors.fail("invalid", ("%s is not a setting; the settings are %s"):format(
    errors.shown_name(name, "this name"), table.concat(names, ", ")))
end

local function value_of(row, value, options)
  if value and row.secret then
    return errors.fail("invalid", ("the value of %s is secret, and other users can see arguments: leave out =VALUE")
      :format(row.name))
  end
  if value and (options.stdin or options.file) then
    return errors.fail("invalid", "two values are given: leave out =VALUE, or --stdin and --file")
  end
  if value then return value end
  if row.secret or options.stdin or options.file then
    return user_input.read_secret(row.name, options, "give --stdin or --file")
  end
  return errors.fail("invalid", ("give a value: --set %s=VALUE"):format(row.name))
end

-- Checks of values that devkit4ai.new makes only later: nil and the reason, if a value can't be used.
local CHECKS = {
  proxy = proxies.parse,
  ca_file = function(path)
    local input, _, code = io.open(path, "rb")
    local content
    if input then
      content, _, code = input:read(1) -- a folder can be opened, but not read
      input:close()
    end
    if content or input and not code then return true end
    return nil, core.reason(code)
  end,
}

-- Checks a value as the client does, before the file gets it.
local function check(row, value)
  local settings = { [row.name] = { value = value, row = row, from = "--set" } }
  local client_options, message, err = settings_loader.client_options(settings)
  if not client_options then return nil, message, err end
  local client
  client, message, err = devkit4ai.new(client_options)
  if client then client:close() end
  if not client then return settings_loader.refused(settings, message, err) end
  local is_valid, reason = true, nil
  if CHECKS[row.name] then is_valid, reason = CHECKS[row.name](value) end
  if not is_valid then return errors.fail("invalid", ("%s (--set) can't be used: %s"):format(row.name, reason)) end
  if value:find "%c" or not value:find "%S" then return errors.fail("invalid", "the value must be one line of text") end
  return true
end

local function new_value(row, options, console)
  local given = options.set:match("=(.*)$")
  local value, message, err = value_of(row, given, options)
  if not value then return nil, message, err end
  if row.secret then console:hide_secret(value) end
  local is_valid
  is_valid, message, err = check(row, value)
  if not is_valid then return nil, message, err end
  return value
end

local function change(options, console)
  local name = (options.set or options.unset):match("^[^=]*")
  local row, message, err = row_of(name)
  if not row then return nil, message, err end
  local value
  if options.set then
    value, message, err = new_value(row, options, console)
    if not value then return nil, message, err end
  end
  local path
  path, message, err = settings_file.write(settings_loader.file_rows(), name, value)
  if not path then return nil, message, err end
  console:print_record({ name = name, path = path },
    ("%s: %s %s"):format(path, name, value and "is set" or "is not set any more"))
  return true
end

--- Shows the settings, or changes the file.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if options.set or options.unset then return change(options, console) end
  return show(options, console)
end

return M
