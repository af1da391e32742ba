--- devkit4ai logout: removes the tokens of the login.
local clients = require "devkit4ai.cli.client"
local logins = require "devkit4ai.cli.settings.logins"
local settings_loader = require "devkit4ai.cli.settings"
local stored_session = require "devkit4ai.auth.stored_session"

local M = { name = "logout", summary = "Log out: forget the tokens of the login." }

M.examples = {
  { "devkit4ai logout" },
  { "devkit4ai logout --role end_user" },
}
M.notes = "It removes the login for the API's address and the role. It keeps the settings and the keys. It sends no "
  .. "request, because the server has no sessions: a copied token works until it expires."

--- The command has no options of its own.
function M.add_options() end

--- Logs out.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  local store = client._kept and client._kept.store
  local account = store and stored_session.last_account(client._kept)
  local done, message
  done, message, err = client:logout()
  if not done then return nil, message, err end
  if account then logins.remove_email(store, account) end
  settings_loader.warn_about_token(settings, console)
  console:print_record({ role = client.role, base_url = client.base_url },
    ("logged out (%s) at %s"):format(client.role, client.base_url))
  return true
end

return M
