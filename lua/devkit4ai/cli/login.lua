--- devkit4ai login: signs in, and keeps the tokens for the other commands.
local ask = require "devkit4ai.cli.ask"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"
local logins = require "devkit4ai.cli.logins"
local session = require "devkit4ai.cli.session"
local settings_of = require "devkit4ai.cli.settings"
local values = require "devkit4ai.cli.values"

local M = { name = "login", summary = "Log in; the other commands use the login." }

M.examples = {
  { "devkit4ai login", "asks for the e-mail address and the password" },
  { "devkit4ai login --email me@example.com --password-stdin < password.txt" },
  { "devkit4ai login --role end_user --email guest@example.com" },
}
M.notes = "Without a password option, the command takes DEVKIT4AI_PASSWORD. If it is not set, the command asks on the "
  .. "terminal. With --role end_user, an end user of the project logs in. This needs the developer key, the project's "
  .. "id and the project's key. The login lasts for seven days and renews itself."

--- Adds the command's options to its parser; `register` has the same ones.
---@param parser table
function M.declare(parser)
  parser:option("--email", "the account's e-mail address (DEVKIT4AI_EMAIL)"):argname("<address>")
    :convert(values.text "--email")
  parser:mutex(
    parser:flag("--password-stdin", "read the password from standard input"):target("stdin"),
    parser:option("--password-file", "read the password from the first line of a file"):target("file")
      :argname("<file>"))
end

--- The e-mail address and the password: of the options, the environment, or the terminal.
---@param options table
---@param settings table<string, devkit4ai.cli.Value>
---@return string? email
---@return string? password the message, where there is no e-mail address
---@return table? err
function M.credentials(options, settings)
  local email = settings.email and settings.email.value
  local message, err
  if not email then
    email, message, err = ask.question("e-mail address", true, "give --email, or set DEVKIT4AI_EMAIL")
  end
  if not email then return nil, message, err end
  local known = not (options.stdin or options.file) and settings.password
  if known then return email, known.value end
  local password
  password, message, err = ask.secret("password", options, "give --password-stdin, or set DEVKIT4AI_PASSWORD")
  if not password then return nil, message, err end
  return email, password
end

--- A client for a command that logs in: its login is for the commands that follow.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return devkit4ai.Client? client
---@return table<string, devkit4ai.cli.Value>|string settings the message, where there is no client
---@return table|fun(): string? err, where there is no client; else a function: why the login was not stored
function M.open(options, shell)
  local folder, message, err = file.make_folder()
  if not folder then return nil, message, err end
  local trouble
  local client, settings
  client, settings, err = session.open(options, shell, function(why) trouble = why end)
  if not client then return nil, settings, err end
  return client, settings, function() return trouble end
end

--- Signs in.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local client, settings, trouble = M.open(options, shell)
  if not client then return nil, settings, trouble end
  local email, password, why = M.credentials(options, settings)
  if not email then return nil, password, why end
  shell:hide(password)
  local done, message, err = client:login(email, password)
  if not done then return nil, message, err end
  if trouble() then return exits.fail("file", "signed in, but not for the next command: " .. trouble()) end
  logins.note(client._stored_session.store, client._stored_session.account, email)
  settings_of.tell_token(settings, shell)
  shell:give({ email = email, role = client.role, base_url = client.base_url },
    ("signed in as %s (%s) at %s"):format(email, client.role, client.base_url))
  return true
end

return M
