--- devkit4ai register: creates an account, and shows or stores its keys.
local core = require "devkit4ai.core"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"
local login = require "devkit4ai.cli.login"
local logins = require "devkit4ai.cli.logins"
local progress = require "devkit4ai.cli.progress"
local settings_of = require "devkit4ai.cli.settings"
local text = require "devkit4ai.cli.text"
local values = require "devkit4ai.cli.values"

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

-- The settings that an account brings, in the order in which they are shown.
local KEPT = { "developer_key", "project_id", "project_key" }

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  login.declare(parser)
  parser:option("--name", "the full name of the account's owner"):argname("<name>"):convert(values.text "--name")
  parser:flag("--save", "write the account's keys to the settings file instead of showing them")
end

-- A key in the settings file can't be asked for again. It is not replaced by the way.
local function check_room()
  local kept, path, err = file.read(settings_of.kept())
  if not kept then return nil, path, err end
  for _, name in ipairs(KEPT) do
    if kept[name] then
      return exits.fail("file", ("%s holds a %s, and --save would replace it. Nothing was sent. Leave out --save, or "
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
  for _, name in ipairs(KEPT) do
    if account[name] then
      path, message, err = file.write(settings_of.kept(), name, account[name])
      if not path then return nil, message, err end
    end
  end
  return path
end

-- Lines that a shell can read.
local function exports(account)
  local names, lines = settings_of.kept(), {}
  for _, name in ipairs(KEPT) do
    if account[name] then
      lines[#lines + 1] = ("export %s=%s"):format(names[name].env[1], text.quote(account[name]))
    end
  end
  return table.concat(lines, "\n")
end

-- A file of its own beside the settings, where these have the keys of another account.
local function save_apart(account)
  local path = ("%s/keys-%s.env"):format(file.folder(), (tostring(account.id):gsub("[^%w-]", "_")))
  return core.save(path, exports(account) .. "\n") and path or nil
end

-- The keys could not be shown. A file keeps them where the disk has room.
local function unseen(shell, account)
  local path = check_room() and save(account) or save_apart(account)
  return exits.unseen(shell, ("%s is registered, but %s. The keys are shown only once. %s"):format(account.email,
    shell.broken, path and "They are in " .. path
      or "No file could keep them: create others in the vendor's web console"))
end

-- Nobody tells the keys again: those that could not be stored are shown.
local function hand_over(shell, account, client, options)
  local record, path, message, err = record_of(account, client), nil, nil, nil
  if options.save then path, message, err = save(account) end
  record.saved = path
  if shell.json then
    if not path then record.developer_key, record.project_key = account.developer_key, account.project_key end
    shell:give(record)
  elseif path then
    shell:give(record, ("the keys of %s are in %s"):format(account.email, path))
  elseif account.developer_key then
    shell:tell "these keys are shown once: store them now"
    shell:show(exports(account))
  else
    shell:give(record, ("registered %s (%s) at %s"):format(account.email, client.role, client.base_url))
  end
  if message then
    err.outcome = "unknown" -- the account exists
    return nil, "registered, but the keys were not stored: " .. message, err
  end
  if shell.broken and account.developer_key and not path then return unseen(shell, account) end
  if shell.broken and path and not shell.gone then
    return exits.unseen(shell, ("%s is registered, and its keys are in %s, but %s"):format(account.email, path,
      shell.broken))
  end
  return true
end

--- Registers.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local client, settings, trouble = login.open(options, shell)
  if not client then return nil, settings, trouble end
  if options.save then
    local free, message, err = check_room()
    if not free then return nil, message, err end
  end
  local email, password, why = login.credentials(options, settings)
  if not email then return nil, password, why end
  shell:hide(password)
  local account, message, err = progress.run(shell, function()
    return client:register { email = email, password = password, full_name = options.name }
  end)
  account = account or err.created and err.created[1] -- it exists, although the command was interrupted
  if not account then return nil, message, err end
  local done
  done, message, err = hand_over(shell, account, client, options)
  if not done then return nil, message, err end
  local whose = client._stored_session.account -- of the tokens that the answer brought, or of an earlier login
  if whose and (whose == account.id or whose == email:lower()) then
    logins.note(client._stored_session.store, whose, email)
  else
    if account.is_active == false then shell:tell "first verify the e-mail address" end
    shell:tell(("to log in, run: devkit4ai login --email %s%s"):format(text.quote(email), shell.again))
  end
  if trouble() then
    return exits.fail("file", "registered, but not logged in for the next command: " .. trouble())
  end
  return true
end

return M
