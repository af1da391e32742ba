--- devkit4ai keys: lists, creates, rotates and revokes keys of the project or of the developer.
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.cli.errors"
local progress = require "devkit4ai.cli.output.progress"
local settings_file = require "devkit4ai.cli.settings.file"
local settings_loader = require "devkit4ai.cli.settings"

local M = { name = "keys", summary = "List, create, rotate or revoke keys." }

M.examples = {
  { "devkit4ai keys", "the keys of the project" },
  { "devkit4ai keys --new laptop --save", "create a key for the project and keep it in the settings" },
  { "devkit4ai keys --developer --rotate laptop --save", "replace the developer's key" },
  { "devkit4ai keys --revoke ID" },
}
M.notes = "A key is shown once, when it is created. Store it at once, or use --save."

-- By the owner of the keys: the library's methods, and the setting that holds such a key.
local KINDS = {
  project = { list = "keys", create = "new_key", rotate = "rotate_key", setting = "project_key" },
  developer = {
    list = "developer_keys", create = "new_developer_key", rotate = "rotate_developer_key", setting = "developer_key",
  },
}

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:flag("--developer", "the developer's own keys instead of the project's keys")
  parser:mutex(
    parser:option("--new", "create a key with this name; it is shown once"):argname("<name>")
      :convert(converters.text "--new"),
    parser:option("--rotate", "create a key with this name and revoke the key in use"):argname("<name>")
      :convert(converters.text "--rotate"),
    parser:option("--revoke", "revoke the key with this id"):argname("<id>"):convert(converters.uuid "--revoke"))
  parser:flag("--save", "write the new key to the settings file instead of showing it")
end

local function record_of(key)
  return {
    id = key.id, name = key.name, key_prefix = key.key_prefix, is_active = key.is_active, created_at = key.created_at,
    last_used_at = key.last_used_at,
  }
end

local function list(owner, kind, console)
  local keys, message, err = owner[kind.list](owner)
  if not keys then return nil, message, err end
  local records = {}
  for i, key in ipairs(keys) do records[i] = record_of(key) end
  console:print_list(records, function(record)
    local state = record.is_active == false and "revoked" or "active"
    return { record.id, record.key_prefix or "", state, record.name or "" }
  end)
  return true
end

local function revoke(owner, kind, console, id)
  local keys, message, err = owner[kind.list](owner)
  if not keys then return nil, message, err end
  for _, key in ipairs(keys) do
    if key.id == id then
      local done
      done, message, err = key:revoke()
      if not done then return nil, message, err end
      console:print_record({ id = id, revoked = true }, "revoked " .. id)
      return true
    end
  end
  local command = kind == KINDS.developer and "devkit4ai keys --developer" or "devkit4ai keys"
  return errors.fail("not_found", ("no key has this id; list the keys with `%s`"):format(command))
end

-- Nobody can see the new key any more: the message has the command that revokes it.
local function lost(console, kind, key, reason)
  local command = ("devkit4ai keys --revoke %s%s%s"):format(
    key.id, kind == KINDS.developer and " --developer" or "", console.common_options)
  return errors.not_shown(console, ("the new key %s is shown only once, and it could not be shown: %s.\n"
    .. "Nobody can use it now. To revoke it, run:\n  %s"):format(key.id, reason, command), command)
end

-- The key exists, although it could not be saved.
local function not_saved(console, kind, key, message, err)
  if console.output_error then return lost(console, kind, key, ("%s; %s"):format(message, console.output_error)) end
  err.outcome = "unknown"
  return nil, "the new key is shown, because it could not be saved: " .. message, err
end

-- The key is in the settings file. A failure of standard output must not make the user create another one.
local function report_saved(console, kind, settings, text)
  local stored = kind == KINDS.project and settings_file.read(settings_loader.file_rows())
  local project = settings.project_id
  if stored and stored.project_id and stored.project_id ~= project.value then
    console:info(("the saved key is for another project than the one in the settings file: use it with --project %s, "
      .. "or run `devkit4ai config --set project_id=%s`"):format(project.value, project.value))
  end
  if console.output_error and not console.reader_gone then
    return errors.not_shown(console, ("the new key %s, but %s"):format(text, console.output_error))
  end
  return true
end

-- Saves or shows the new key. The server shows it only once, so a key that can't be saved is shown.
local function deliver(console, kind, key, save)
  local path, message, err
  if save then
    path, message, err = settings_file.write(settings_loader.file_rows(), kind.setting, key.key)
  end
  local record = record_of(key)
  if path then
    console:hide_secret(key.key)
    record.saved = path
    local text = ("%s is in %s"):format(key.key_prefix or key.id, path)
    console:print_record(record, text)
    return text
  end
  if console.json then
    record.key = key.key
    console:print_record(record)
  else
    console:print(display.text(key.key, math.huge))
  end
  if message then return not_saved(console, kind, key, message, err) end
  if console.output_error then return lost(console, kind, key, console.output_error) end
  return true
end

-- The key that the server created before Ctrl-C or another failure.
local function created_key(err)
  return err.key or err.created and err.created[1]
end

local function create(owner, kind, console, options, settings)
  local key, message, err = progress.run(console, function() return owner[kind.create](owner, options.new) end)
  key = key or created_key(err)
  if not key then return nil, message, err end
  local delivered
  delivered, message, err = deliver(console, kind, key, options.save)
  if not delivered or not options.save then return delivered, message, err end
  local other = settings[kind.setting]
  if other and other.from ~= "settings file" then
    console:info(("the %s holds another key, which has priority over the saved one: remove it there"):format(
      other.from))
  end
  return report_saved(console, kind, settings, delivered)
end

-- Delivers the new key before the old one is revoked: a command that is killed leaves a key that works.
local function rotate(owner, kind, console, options, settings)
  local delivered, delivery_message, delivery_err
  local function keep(key)
    delivered, delivery_message, delivery_err = deliver(console, kind, key, options.save)
    return delivered, delivery_message
  end
  local key, message, err = progress.run(console, function()
    return owner[kind.rotate](owner, options.rotate, { keep = keep })
  end)
  local created = key or created_key(err)
  if created and not delivered and not delivery_message then keep(created) end
  if delivery_message then return nil, "the old key was not revoked: " .. delivery_message, delivery_err end
  local old = settings[kind.setting]
  if created and old and not (options.save and old.from == "settings file") then -- --save has written that one
    console:info(("the %s still holds the old key: put the new one there"):format(old.from))
  end
  if not key then return nil, message, err end
  if not options.save then return true end
  return report_saved(console, kind, settings, delivered)
end

--- Lists, creates, rotates or revokes.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if options.save and not (options.new or options.rotate) then
    return errors.fail("invalid", "--save is only for --new and --rotate")
  end
  local kind = KINDS[options.developer and "developer" or "project"]
  local owner, settings, err = clients.open(options, console)
  if not owner then return nil, settings, err end
  local message
  if not options.developer then owner, message, err = clients.project(owner, settings) end
  if not owner then return nil, message, err end
  if options.revoke then return revoke(owner, kind, console, options.revoke) end
  if options.new then return create(owner, kind, console, options, settings) end
  if options.rotate then return rotate(owner, kind, console, options, settings) end
  return list(owner, kind, console)
end

return M
