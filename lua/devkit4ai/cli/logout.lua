--- devkit4ai logout: forgets the tokens of the last login.
local stored_session = require "devkit4ai.auth.stored_session"
local logins = require "devkit4ai.cli.logins"
local session = require "devkit4ai.cli.session"
local settings_of = require "devkit4ai.cli.settings"

local M = { name = "logout", summary = "Log out: forget the tokens of the login." }

M.examples = {
  { "devkit4ai logout" },
  { "devkit4ai logout --role end_user" },
}
M.notes = "It removes the login for the API's address and the role. It keeps the settings and the keys. The server is "
  .. "not told, because it has no sessions: a token that was copied works until its time is over."

--- The command has no options of its own.
function M.declare() end

--- Logs out.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local client, settings, err = session.open(options, shell)
  if not client then return nil, settings, err end
  local store = client._kept and client._kept.store
  local account = store and stored_session.last_account(client._kept)
  local done, message
  done, message, err = client:logout()
  if not done then return nil, message, err end
  if account then logins.forget(store, account) end
  settings_of.tell_token(settings, shell)
  shell:give({ role = client.role, base_url = client.base_url },
    ("logged out (%s) at %s"):format(client.role, client.base_url))
  return true
end

return M
