--- devkit4ai keys: the keys of a project, or the developer's own: listed, made, rotated, revoked.
local display = require "devkit4ai.util.display"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"
local progress = require "devkit4ai.cli.progress"
local session = require "devkit4ai.cli.session"
local settings_of = require "devkit4ai.cli.settings"
local values = require "devkit4ai.cli.values"

local M = { name = "keys", summary = "List, create, rotate or revoke keys." }

M.examples = {
  { "devkit4ai keys", "the keys of the project" },
  { "devkit4ai keys --new laptop --save", "create a key for the project and keep it in the settings" },
  { "devkit4ai keys --developer --rotate laptop --save", "replace the developer's key" },
  { "devkit4ai keys --revoke ID" },
}
M.notes = "A key is shown once, when it is created. Store it at once, or use --save."

-- Whose keys: how the library's methods are called, and the setting that a key is for.
local KINDS = {
  project = { list = "keys", make = "new_key", rotate = "rotate_key", setting = "project_key" },
  developer = {
    list = "developer_keys", make = "new_developer_key", rotate = "rotate_developer_key", setting = "developer_key",
  },
}

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:flag("--developer", "the developer's own keys instead of the project's keys")
  parser:mutex(
    parser:option("--new", "create a key with this name; it is shown once"):argname("<name>")
      :convert(values.text "--new"),
    parser:option("--rotate", "create a key with this name and revoke the key in use"):argname("<name>")
      :convert(values.text "--rotate"),
    parser:option("--revoke", "revoke the key with this id"):argname("<id>"):convert(values.uuid "--revoke"))
  parser:flag("--save", "write the new key to the settings file instead of showing it")
end

local function record(key)
  return {
    id = key.id, name = key.name, key_prefix = key.key_prefix, is_active = key.is_active, created_at = key.created_at,
    last_used_at = key.last_used_at,
  }
end

local function revoke(owner, kind, shell, id)
  local list, message, err = owner[kind.list](owner)
  if not list then return nil, message, err end
  for _, key in ipairs(list) do
    if key.id == id then
      local done
      done, message, err = key:revoke()
      if not done then return nil, message, err end
      shell:give({ id = id, revoked = true }, "revoked " .. id)
      return true
    end
  end
  return exits.fail("not_found", "no key here has this id")
end

-- Nobody can see the key any more: the line that revokes it.
local function lost(shell, kind, key, why)
  local command = ("devkit4ai keys --revoke %s%s%s"):format(
    key.id, kind == KINDS.developer and " --developer" or "", shell.again)
  return exits.unseen(shell, ("the new key %s is shown only once, and it could not be shown: %s.\n"
    .. "Nobody can use it now. To revoke it, run:\n  %s"):format(key.id, why, command), command)
end

-- The key exists, whatever became of it afterwards.
local function not_saved(shell, kind, key, message, err)
  if shell.broken then return lost(shell, kind, key, ("%s; %s"):format(message, shell.broken)) end
  err.outcome = "unknown"
  return nil, "the new key is shown, since it could not be saved: " .. message, err
end

-- The key is in the settings, whether standard output took the words or not. Nobody is to create another one.
local function saved(shell, kind, settings, words)
  local kept = kind == KINDS.project and file.read(settings_of.kept())
  local project = settings.project_id
  if kept and kept.project_id and kept.project_id ~= project.value then
    shell:tell(("the saved key is for another project than the one in the settings file: use it with --project %s, or "
      .. "run `devkit4ai config --set project_id=%s`"):format(project.value, project.value))
  end
  if shell.broken and not shell.gone then
    return exits.unseen(shell, ("the new key %s, but %s"):format(words, shell.broken))
  end
  return true
end

-- A key is saved before anything is shown. One that could not be saved is shown, since nobody tells it again.
local function hand_over(shell, kind, key, save)
  local path, message, err
  if save then path, message, err = file.write(settings_of.kept(), kind.setting, key.key) end
  local told = record(key)
  if path then
    shell:hide(key.key)
    told.saved = path
    local words = ("%s is in %s"):format(key.key_prefix or key.id, path)
    shell:give(told, words)
    return words
  end
  if shell.json then
    told.key = key.key
    shell:give(told)
  else
    shell:show(display.text(key.key, math.huge))
  end
  if message then return not_saved(shell, kind, key, message, err) end
  if shell.broken then return lost(shell, kind, key, shell.broken) end
  return true
end

-- What the server made, although the command was interrupted.
local function made_all_the_same(err)
  return err.key or err.created and err.created[1]
end

local function make(owner, kind, shell, options, settings)
  local key, message, err = progress.run(shell, function() return owner[kind.make](owner, options.new) end)
  key = key or made_all_the_same(err)
  if not key then return nil, message, err end
  local handed
  handed, message, err = hand_over(shell, kind, key, options.save)
  if not handed or not options.save then return handed, message, err end
  local other = settings[kind.setting]
  if other and other.from ~= "settings file" then
    shell:tell(("the %s holds another key, which goes before the saved one: remove it there"):format(other.from))
  end
  return saved(shell, kind, settings, handed)
end

-- The new key is handed over before the old one is revoked, so that a command that is killed leaves a key that works.
local function rotate(owner, kind, shell, options, settings)
  local handed, trouble, cause
  local function keep(key)
    handed, trouble, cause = hand_over(shell, kind, key, options.save)
    return handed, trouble
  end
  local key, message, err = progress.run(shell, function()
    return owner[kind.rotate](owner, options.rotate, { keep = keep })
  end)
  local made = key or made_all_the_same(err)
  if made and not handed and not trouble then keep(made) end
  if trouble then return nil, "the old key was not revoked: " .. trouble, cause end
  local old = settings[kind.setting]
  if made and old and not (options.save and old.from == "settings file") then -- which was written
    shell:tell(("the %s holds the old key still: put the new one there"):format(old.from))
  end
  if not key then return nil, message, err end
  if not options.save then return true end
  return saved(shell, kind, settings, handed)
end

--- Lists, makes, rotates or revokes.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if options.save and not (options.new or options.rotate) then
    return exits.fail("invalid", "--save is only for --new and --rotate")
  end
  local kind = KINDS[options.developer and "developer" or "project"]
  local owner, settings, err = session.open(options, shell)
  if not owner then return nil, settings, err end
  local message
  if not options.developer then owner, message, err = session.project(owner, settings) end
  if not owner then return nil, message, err end
  if options.revoke then return revoke(owner, kind, shell, options.revoke) end
  if options.new then return make(owner, kind, shell, options, settings) end
  if options.rotate then return rotate(owner, kind, shell, options, settings) end
  local list
  list, message, err = owner[kind.list](owner)
  if not list then return nil, message, err end
  local records = {}
  for i, key in ipairs(list) do records[i] = record(key) end
  shell:list(records, function(one)
    return { one.id, one.key_prefix or "", one.is_active == false and "revoked" or "active", one.name or "" }
  end)
  return true
end

return M
