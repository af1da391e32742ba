--- devkit4ai keys: the keys of a project, or the developer's own: listed, made, rotated, revoked.
local display = require "devkit4ai.display"
local exits = require "devkit4ai.cli.exits"
local file = require "devkit4ai.cli.settings_file"
local progress = require "devkit4ai.cli.progress"
local session = require "devkit4ai.cli.session"
local settings_of = require "devkit4ai.cli.settings"
local values = require "devkit4ai.cli.values"

local M = { name = "keys", summary = "List, make, rotate or revoke keys." }

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
  parser:flag("--developer", "the developer's own keys, in place of the project's")
  parser:mutex(
    parser:option("--new", "make a key of this name; it is shown once"):argname("<name>")
      :convert(values.text "--new"),
    parser:option("--rotate", "make a key of this name, and revoke the one in use"):argname("<name>")
      :convert(values.text "--rotate"),
    parser:option("--revoke", "revoke the key of this id"):argname("<id>"):convert(values.uuid "--revoke"))
  parser:flag("--save", "write the new key to the settings file, and do not show it")
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

-- A key is saved before anything is shown. One that could not be saved is shown, since nobody tells it again.
local function hand_over(shell, kind, key, save)
  local path, message, err
  if save then path, message, err = file.write(settings_of.kept(), kind.setting, key.key) end
  local told = record(key)
  if path then
    shell:hide(key.key)
    told.saved = path
    shell:give(told, ("%s is in %s"):format(key.key_prefix or key.id, path))
    return true
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

local function make(owner, kind, shell, options)
  local key, message, err = progress.run(shell, function() return owner[kind.make](owner, options.new) end)
  key = key or made_all_the_same(err)
  if not key then return nil, message, err end
  return hand_over(shell, kind, key, options.save)
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
  return true
end

--- Lists, makes, rotates or revokes.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if options.save and not (options.new or options.rotate) then
    return exits.fail("invalid", "--save goes with --new or --rotate alone")
  end
  local kind = KINDS[options.developer and "developer" or "project"]
  local owner, settings, err = session.open(options, shell)
  if not owner then return nil, settings, err end
  local message
  if not options.developer then owner, message, err = session.project(owner, settings) end
  if not owner then return nil, message, err end
  if options.revoke then return revoke(owner, kind, shell, options.revoke) end
  if options.new then return make(owner, kind, shell, options) end
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
