--- devkit4ai register: creates an account, and shows or stores its keys.
local converters = require "devkit4ai.cli.input.converters"
local core = require "devkit4ai.core"
local errors = require "devkit4ai.cli.errors"
local login = require "devkit4ai.cli.commands.account.login"
local logins = require "devkit4ai.cli.settings.logins"
local progress = require "devkit4ai.cli.output.progress"
local settings_file = require "devkit4ai.cli.settings.file"
local settings_loader = require "devkit4ai.cli.settings"
local shell_quote = require "devkit4ai.cli.output.shell_quote"
local system = require "devkit4ai.util.system"

local M = { name = "register", summary = "Create an account." }

M.examples = {
  { "devkit4ai register --email ann@example.com --save", "a developer; needs the operator key" },
  { "devkit4ai register --email ann@example.com --password-stdin < password.txt" },
  { "devkit4ai register --role end_user --email guest@example.com" },
}
M.notes = "A developer's account needs a platform operator's key (DEVKIT4AI_OPERATOR_KEY); the sandbox prints one. "
  .. "Without such a key, register in the vendor's web console. An end user's account needs the developer key and the "
  .. "project's id. A password has at least 8 characters with upper case, lower case and a digit. A developer's keys "
  .. "are shown once: as lines that a shell can read. --save writes them to the settings file instead. "
  .. "An end user is logged in afterwards. A developer logs in with `devkit4ai login`."

-- The settings that a new account has, in the order of the output.
local ACCOUNT_SETTINGS = { "developer_key", "project_id", "project_key" }

--- Adds the options.
---@param parser table
function M.add_options(parser)
  login.add_options(parser)
  parser:option("--name", "the full name of the account's owner"):argname("<name>"):convert(converters.text "--name")
  parser:flag("--save", "write the account's keys to the settings file instead of showing them")
end

-- Refuses to replace a setting of the file: nobody can ask for an old key again.
local function check_settings_are_free()
  local stored, path, err = settings_file.read(settings_loader.file_rows())
  if not stored then return nil, path, err end
  for _, name in ipairs(ACCOUNT_SETTINGS) do
    if stored[name] then
      return errors.fail("file", ("%s holds a %s, and --save would replace it. Nothing was sent. Leave out --save, or "
        .. "remove it with: devkit4ai config --unset %s"):format(path, name, name))
    end
  end
  return true
end

local function record_of(account, client)
  return {
    id = account.id, email = account.email, full_name = account.full_name, role = client.role,
    is_active = account.is_active, base_url = client.base_url, project_id = account.project_id,
  }
end

local function save(account)
  local path, message, err
  for _, name in ipairs(ACCOUNT_SETTINGS) do
    if account[name] then
      path, message, err = settings_file.write(settings_loader.file_rows(), name, account[name])
      if not path then return nil, message, err end
    end
  end
  return path
end

-- Lines that set the variables in a shell: on Windows in cmd.
local EXPORT = system.is_windows and 'set "%s=%s"' or "export %s=%s"

local function export_lines(account)
  local rows, lines = settings_loader.file_rows(), {}
  for _, name in ipairs(ACCOUNT_SETTINGS) do
    if account[name] then
      lines[#lines + 1] = EXPORT:format(rows[name].env[1], shell_quote.word(account[name]))
    end
  end
  return table.concat(lines, "\n")
end

-- Saves the keys in a file of their own, if the settings file has the keys of another account.
local function save_to_own_file(account)
  local path = ("%s/keys-%s.env"):format(settings_file.folder(), (tostring(account.id):gsub("[^%w-]", "_")))
  return core.save(path, export_lines(account) .. "\n") and path or nil
end

-- The keys could not be shown, so a file gets them.
local function save_unshown(console, account)
  local path = check_settings_are_free() and save(account) or save_to_own_file(account)
  return errors.not_shown(console, ("%s is registered, but %s. The keys are shown only once. %s"):format(account.email,
    console.output_error, path and "They are in " .. path
      or "No file could store them: create new ones in the vendor's web console"))
end

-- Stores or shows the keys. The server shows them only once, so keys that can't be stored are shown.
local function deliver_keys(console, account, client, options)
  local record, path, message, err = record_of(account, client), nil, nil, nil
  if options.save then path, message, err = save(account) end
  record.saved = path
  if console.json then
    if not path then record.developer_key, record.project_key = account.developer_key, account.project_key end
    console:print_record(record)
  elseif path then
    console:print_record(record, ("the keys of %s are in %s"):format(account.email, path))
  elseif account.developer_key then
    console:info "these keys are shown once: store them now"
    console:print(export_lines(account))
  else
    console:print_record(record, ("registered %s (%s) at %s"):format(account.email, client.role, client.base_url))
  end
  if message then
    err.outcome = "unknown" -- the account exists
    return nil, "registered, but the keys were not stored: " .. message, err
  end
  if console.output_error and account.developer_key and not path then return save_unshown(console, account) end
  if console.output_error and path and not console.reader_gone then
    return errors.not_shown(console, ("%s is registered, and its keys are in %s, but %s"):format(account.email, path,
      console.output_error))
  end
  return true
end

--- Registers.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local client, settings, store_failure = login.open_client(options, console)
  if not client then return nil, settings, store_failure end
  if options.save then
    local is_free, message, err = check_settings_are_free()
    if not is_free then return nil, message, err end
  end
  local email, password, credentials_err = login.credentials(options, settings)
  if not email then return nil, password, credentials_err end
  console:hide_secret(password)
  local account, message, err = progress.run(console, function()
    return client:register { email = email, password = password, full_name = options.name }
  end)
  account = account or err.created and err.created[1] -- the server created it before Ctrl-C
  if not account then return nil, message, err end
  local done
  done, message, err = deliver_keys(console, account, client, options)
  if not done then return nil, message, err end
  local signed_in = client._stored_session.account -- the account of the new tokens, or of an earlier login
  if signed_in and (signed_in == account.id or signed_in == email:lower()) then
    logins.save_email(client._stored_session.store, signed_in, email)
  else
    if account.is_active == false then console:info "first verify the e-mail address" end
    console:info(("to log in, run: devkit4ai login --email %s%s"):format(shell_quote.word(email),
      console.common_options))
  end
  if store_failure() then
    return errors.fail("file", "registered, but the login could not be stored: " .. store_failure())
  end
  return true
end

return M
