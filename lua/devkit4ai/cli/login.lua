--- devkit4ai login: signs in, and keeps the tokens for the other commands.
local ask = require "devkit4ai.cli.ask"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"
local logins = require "devkit4ai.cli.logins"
local session = require "devkit4ai.cli.session"
local values = require "devkit4ai.cli.values"

local M = { name = "login", summary = "Sign in; the other commands go on with it." }

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:option("--email", "the account (DEVKIT4AI_EMAIL)"):argname("<address>")
    :convert(values.text "--email")
  parser:mutex(
    parser:flag("--password-stdin", "read the password from standard input"):target("stdin"),
    parser:option("--password-file", "read the password from the first line of a file"):target("file")
      :argname("<file>"))
  parser:epilog("Without a password option, DEVKIT4AI_PASSWORD is taken, else the terminal is asked. With --role "
    .. "end_user an end user of the project signs in, which needs the developer key and the project's id and key.")
end

local function credentials(options, settings)
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

--- Signs in.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local folder, message, err = file.make_folder()
  if not folder then return nil, message, err end
  local trouble
  local client, settings
  client, settings, err = session.open(options, shell, function(why) trouble = why end)
  if not client then return nil, settings, err end
  local email, password, cause = credentials(options, settings)
  if not email then return nil, password, cause end
  shell:hide(password)
  local done
  done, message, err = client:login(email, password)
  if not done then return nil, message, err end
  if trouble then return exits.fail("file", "signed in, but not for the next command: " .. trouble) end
  logins.note(client._kept.store, client._kept.account, email)
  shell:give({ email = email, role = client.role, base_url = client.base_url },
    ("signed in as %s (%s) at %s"):format(email, client.role, client.base_url))
  return true
end

return M
