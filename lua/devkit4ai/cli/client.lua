--- A client as the settings have it, with the tokens of the last login.
local devkit4ai = require "devkit4ai"
local exits = require "devkit4ai.cli.errors.exit_codes"
local file = require "devkit4ai.cli.settings.file"
local settings_of = require "devkit4ai.cli.settings"

local M = {}

-- What is said of an event with -v.
local function describe(event)
  local parts = { event.type }
  for _, name in ipairs { "method", "path", "status", "kind", "outcome", "pause", "request_id", "message" } do
    if event[name] ~= nil then parts[#parts + 1] = tostring(event[name]) end
  end
  if event.times and event.times.total then parts[#parts + 1] = ("%.3f s"):format(event.times.total) end
  return table.concat(parts, " ")
end

-- The sessions' file, beside the settings'; one that can't be read is told now, and not as if nobody were signed in.
-- writes: the command needs a file that can be written; the others can do without.
local function store_of(folder, writes)
  local path = folder .. "/sessions.json"
  local store = require("devkit4ai.store.file").new(path)
  local _, why = store.get("")
  if not why and writes then _, why = store.can_write() end
  if why then return file.refused(path, why) end
  store.can_write = nil -- asked above, or not needed
  return store
end

--- Makes the client.
---@param options table of the command line
---@param shell devkit4ai.cli.Shell
---@param on_lost (fun(message: string))? of login, which fails where the store does not keep the session; the others tell it
---@return devkit4ai.Client? client
---@return table<string, devkit4ai.cli.Value>|string settings the message, where there is no client
---@return table? err
function M.open(options, shell, on_lost)
  local settings, message, err = settings_of.read(options, shell)
  if not settings then return nil, message, err end
  local given
  given, message, err = settings_of.client_options(settings)
  if not given then return nil, message, err end
  local folder = file.folder()
  if folder then given.store, message, err = store_of(folder, on_lost ~= nil) end
  if message then return nil, message, err end
  given.on_event = function(event)
    shell:detail(describe(event))
    if event.type ~= "refresh" or not event.message then return end
    if on_lost then on_lost(event.message) else shell:tell("devkit4ai: " .. event.message) end
  end
  local client
  client, message, err = devkit4ai.new(given)
  if not client then return settings_of.refused(settings, message, err) end
  return client, settings
end

--- The project that the settings name, with its key.
---@param client devkit4ai.Client
---@param settings table<string, devkit4ai.cli.Value>
---@return devkit4ai.Project?
---@return string? message
---@return table? err
function M.project(client, settings)
  local id, key = settings.project_id, settings.project_key
  if not id then
    return exits.fail("config",
      "which project? give --project ID, set DEVKIT4AI_PROJECT_ID, or run `devkit4ai config --set project_id=ID`")
  end
  local project, message, err = client:project(id.value)
  if not project then
    err.option, err._parts = "project_id", { what = "it must be a UUID" }
    return settings_of.refused(settings, message, err)
  end
  if key then project:use_key(key.value) end
  return project
end

--- The same for a command that needs no more of the client.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return devkit4ai.Project?
---@return string? message
---@return table? err
function M.open_project(options, shell)
  local client, settings, err = M.open(options, shell)
  if not client then return nil, settings, err end
  return M.project(client, settings)
end

return M
