--- Clients of the library for the commands, made from the settings and the stored login.
local devkit4ai = require "devkit4ai"
local errors = require "devkit4ai.cli.errors"
local settings_file = require "devkit4ai.cli.settings.file"
local settings_loader = require "devkit4ai.cli.settings"

local M = {}

-- The line of --verbose for an event of the client.
local function describe(event)
  local parts = { event.type }
  for _, name in ipairs { "method", "path", "status", "kind", "outcome", "pause", "request_id", "message" } do
    if event[name] ~= nil then parts[#parts + 1] = tostring(event[name]) end
  end
  if event.times and event.times.total then parts[#parts + 1] = ("%.3f s"):format(event.times.total) end
  return table.concat(parts, " ")
end

-- The store of the logins. One that can't be read fails here: the user would only see "not signed in" later.
-- must_write: the command stores a login
local function open_store(folder, must_write)
  local path = folder .. "/sessions.json"
  local store = require("devkit4ai.store.file").new(path)
  local _, reason = store.get("")
  if not reason and must_write then _, reason = store.can_write() end
  if reason then return settings_file.refused(path, reason) end
  store.can_write = nil -- checked above, or not needed
  return store
end

--- Makes a client.
---@param options table of the command line
---@param console devkit4ai.cli.Console
---@param on_store_failure (fun(message: string))? gets the reason if the login can't be stored; nil: it is a warning
---@return devkit4ai.Client? client
---@return table<string, devkit4ai.cli.Setting>|string settings the message, where client is nil
---@return table? err
function M.open(options, console, on_store_failure)
  local settings, message, err = settings_loader.load(options, console)
  if not settings then return nil, message, err end
  local client_options
  client_options, message, err = settings_loader.client_options(settings)
  if not client_options then return nil, message, err end
  local folder = settings_file.folder()
  if folder then client_options.store, message, err = open_store(folder, on_store_failure ~= nil) end
  if message then return nil, message, err end
  client_options.on_event = function(event)
    console:debug(describe(event))
    if event.type ~= "refresh" or not event.message then return end
    if on_store_failure then on_store_failure(event.message) else console:info("devkit4ai: " .. event.message) end
  end
  local client
  client, message, err = devkit4ai.new(client_options)
  if not client then return settings_loader.refused(settings, message, err) end
  return client, settings
end

--- The project of the settings, with its key.
---@param client devkit4ai.Client
---@param settings table<string, devkit4ai.cli.Setting>
---@return devkit4ai.Project?
---@return string? message
---@return table? err
function M.project(client, settings)
  local id, key = settings.project_id, settings.project_key
  if not id then
    return errors.fail("config", "no project is set: give --project ID, set DEVKIT4AI_PROJECT_ID, or run "
      .. "`devkit4ai config --set project_id=ID`")
  end
  local project, message, err = client:project(id.value)
  if not project then return nil, message, err end
  if key then project:use_key(key.value) end
  return project
end

--- The project, for a command that needs nothing else of the client.
---@param options table
---@param console devkit4ai.cli.Console
---@return devkit4ai.Project?
---@return string? message
---@return table? err
function M.open_project(options, console)
  local client, settings, err = M.open(options, console)
  if not client then return nil, settings, err end
  return M.project(client, settings)
end

return M
