--- devkit4ai login: signs in, and stores the tokens for the other commands.
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local errors = require "devkit4ai.cli.errors"
local logins = require "devkit4ai.cli.settings.logins"
local settings_file = require "devkit4ai.cli.settings.file"
local settings_loader = require "devkit4ai.cli.settings"
local user_input = require "devkit4ai.cli.input.user_input"

local M = { name = "login", summary = "Log in; the other commands use the login." }

M.examples = {
  { "devkit4ai login", "asks for the e-mail address and the password" },
  { "devkit4ai login --email me@example.com --password-stdin < password.txt" },
  { "devkit4ai login --role end_user --email guest@example.com" },
}
M.notes = "Without a password option, the command takes DEVKIT4AI_PASSWORD. If it is not set, the command asks on the "
  .. "terminal. With --role end_user, an end user of the project logs in. This needs the developer key, the project's "
  .. "id and the project's key. The login lasts for seven days and renews itself."

--- Adds the options. `register` has the same ones.
---@param parser table
function M.add_options(parser)
  parser:option("--email", "the account's e-mail address (DEVKIT4AI_EMAIL)"):argname("<address>")
    :convert(converters.text "--email")
  parser:mutex(
    parser:flag("--password-stdin", "read the password from standard input"):target("stdin"),
    parser:option("--password-file", "read the password from the first line of a file"):target("file")
      :argname("<file>"))
end

--- The e-mail address and the password: from the options, the environment or the terminal.
---@param options table
---@param settings table<string, devkit4ai.cli.Setting>
---@return string? email
---@return string? password the message, where email is nil
---@return table? err
function M.credentials(options, settings)
  local email = settings.email and settings.email.value
  local message, err
  if not email then
    email, message, err = user_input.ask("e-mail address", true, "give --email, or set DEVKIT4AI_EMAIL")
  end
  if not email then return nil, message, err end
  local setting = not (options.stdin or options.file) and settings.password
  if setting then return email, setting.value end
  local password
  password, message, err = user_input.read_secret("password", options,
    "give --password-stdin, or set DEVKIT4AI_PASSWORD")
  if not password then return nil, message, err end
  return email, password
end

--- A client for a command that logs in and stores the login.
---@param options table
---@param console devkit4ai.cli.Console
---@return devkit4ai.Client? client
---@return table<string, devkit4ai.cli.Setting>|string settings the message, where client is nil
---@return table|fun(): string? err where client is nil; else a function that returns why the login was not stored
function M.open_client(options, console)
  local folder, message, err = settings_file.make_folder()
  if not folder then return nil, message, err end
  local store_failure
  local client, settings
  client, settings, err = clients.open(options, console, function(reason) store_failure = reason end)
  if not client then return nil, settings, err end
  return client, settings, function() return store_failure end
end

--- Signs in.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local client, settings, store_failure = M.open_client(options, console)
  if not client then return nil, settings, store_failure end
  local email, password, credentials_err = M.credentials(options, settings)
  if not email then return nil, password, credentials_err end
  console:hide_secret(password)
  local done, message, err = client:login(email, password)
  if not done then return nil, message, err end
  if store_failure() then
    return errors.fail("file", "signed in, but the login could not be stored: " .. store_failure())
  end
  logins.save_email(client._kept.store, client._kept.account, email)
  settings_loader.warn_about_token(settings, console)
  console:print_record({ email = email, role = client.role, base_url = client.base_url },
    ("signed in as %s (%s) at %s"):format(email, client.role, client.base_url))
  return true
end

return M
