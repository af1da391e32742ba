--- devkit4ai config: each setting, masked, with where it came from; and the file that keeps them.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local ask = require "devkit4ai.cli.ask"
local checks = require "devkit4ai.util.validate"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"
local logins = require "devkit4ai.cli.logins"
local proxies = require "devkit4ai.request.proxy"
local settings_of = require "devkit4ai.cli.settings"

local M = { name = "config", summary = "Show or change the settings." }

M.examples = {
  { "devkit4ai config", "each setting, and where it comes from; keys are masked" },
  { "devkit4ai config --set base_url=https://api.vibecoding.ad" },
  { "devkit4ai config --set developer_key", "asks for the key" },
  { "devkit4ai config --set project_key --stdin < project.key" },
  { "devkit4ai config --unset role" },
}
M.notes = "A key or token is never an argument, because other users of the machine can see arguments."

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:mutex(
    parser:option("--set", "write a setting to the settings file; a key has no =<value>: it is asked for, or read "
      .. "with --stdin or --file")
      :argname("<name>[=<value>]"),
    parser:option("--unset", "remove a setting from the settings file"):argname("<name>"))
  parser:mutex(
    parser:flag("--stdin", "read the value from standard input"),
    parser:option("--file", "read the value from the first line of a file"):argname("<file>"))
end

local function masked(setting)
  if setting.row.secret then return "***" end
  if setting.row.name == "email" then return setting.value end
  return (setting.value:gsub("^(%a*:?/?/?)[^/]*@", "%1***@")) -- a login in an address
end

-- For a person: short, so that a line has room in 80 columns.
local function where(one)
  if not one.role then return (one.from:gsub("^environment variable ", "$")) end
  return ("%s%s at %s, until %s"):format(one.role, one.project_id and " of " .. one.project_id or "", one.base_url,
    one.ends or "an unknown time")
end

local function show(options, shell)
  local settings, message, err = settings_of.read(options, shell)
  if not settings then return nil, message, err end
  local records = {}
  for _, row in ipairs(settings_of.rows()) do
    local setting = settings[row.name]
    if setting then
      records[#records + 1] = { name = row.name, value = masked(setting), from = setting.from }
    else
      records[#records + 1] = { name = row.name, from = "not set" }
    end
  end
  local place = file.folder()
  records[#records + 1] = {
    name = "settings_file", value = place and place .. "/config",
    from = not place and "set HOME or XDG_CONFIG_HOME" or file.exists() and "read" or "there is no such file yet",
  }
  for _, login in ipairs(logins.list()) do
    records[#records + 1] = {
      name = "login", value = login.who, from = logins.path(), role = login.role, base_url = login.base_url,
      project_id = login.project_id, ends = login.ends,
    }
  end
  shell:list(records, function(one) return { one.name, one.value or "-", where(one) } end, true)
  return true
end

local function row_of(name)
  if name == "" then return exits.fail("invalid", "a name is missing: --set NAME=VALUE, or --unset NAME") end
  local row = settings_of.kept()[name]
  if row then return row end
  local names = {}
  for known in pairs(settings_of.kept()) do names[#names + 1] = known end
  table.sort(names)
  local shown = checks.shown(name):find "^'" and checks.shown(name) or "this name"
  return exits.fail("invalid", ("%s is not a setting; the settings are %s"):format(shown, table.concat(names, ", ")))
end

local function value_of(row, value, options)
  if value and row.secret then
    return exits.fail("invalid", ("the value of %s is secret, and other users can see arguments: leave out =VALUE")
      :format(row.name))
  end
  if value and (options.stdin or options.file) then
    return exits.fail("invalid", "two values are given: leave out =VALUE, or --stdin and --file")
  end
  if value then return value end
  if row.secret or options.stdin or options.file then
    return ask.secret(row.name, options, "give --stdin or --file")
  end
  return exits.fail("invalid", ("give a value: --set %s=VALUE"):format(row.name))
end

-- What devkit4ai.new looks at only when it is needed: nil and why, where it can't be used.
local LATER = {
  proxy = proxies.parse,
  ca_file = function(path)
    local input, _, code = io.open(path, "rb")
    local content
    if input then
      content, _, code = input:read(1) -- a folder can be opened, and not read
      input:close()
    end
    if content or input and not code then return true end
    return nil, core.reason(code)
  end,
}

-- Held against the client's own checks, before it stands in the file.
local function check(row, value)
  local settings = { [row.name] = { value = value, row = row, from = "--set" } }
  local given, message, err = settings_of.client_options(settings)
  if not given then return nil, message, err end
  local client
  client, message, err = devkit4ai.new(given)
  if client then client:close() end
  if not client then return settings_of.refused(settings, message, err) end
  local fine, why = true, nil
  if LATER[row.name] then fine, why = LATER[row.name](value) end
  if not fine then return exits.fail("invalid", ("%s (--set) can't be used: %s"):format(row.name, why)) end
  if value:find("%c") or value:find("^%s*$") then return exits.fail("invalid", "the value must be one line of text") end
  return true
end

local function change(options, shell)
  local name, value = (options.set or options.unset):match("^([^=]*)=?(.*)$")
  local row, message, err = row_of(name)
  if not row then return nil, message, err end
  if options.unset then
    value = nil
  else
    value, message, err = value_of(row, options.set:find("=", 1, true) and value or nil, options)
    if not value then return nil, message, err end
    if row.secret then shell:hide(value) end
    local fine
    fine, message, err = check(row, value)
    if not fine then return nil, message, err end
  end
  local path
  path, message, err = file.write(settings_of.kept(), name, value)
  if not path then return nil, message, err end
  local what = value and "is set" or "is not set any more"
  shell:give({ name = name, path = path }, ("%s: %s %s"):format(path, name, what))
  return true
end

--- Shows the settings, or changes the file.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if options.set or options.unset then return change(options, shell) end
  return show(options, shell)
end

return M
