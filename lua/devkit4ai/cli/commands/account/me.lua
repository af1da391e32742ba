--- devkit4ai me: shows the account that is signed in.
local clients = require "devkit4ai.cli.client"

local M = { name = "me", summary = "Show who is logged in." }

M.examples = { { "devkit4ai me" }, { "devkit4ai me --json" } }

--- The command has no options of its own.
function M.add_options() end

--- Asks the server.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  local user, message
  user, message, err = client:me()
  if not user then return nil, message, err end
  console:print_record({
    id = user.id, email = user.email, full_name = user.full_name, role = user.role, is_active = user.is_active,
    created_at = user.created_at, base_url = client.base_url,
  }, ("%s (%s) at %s"):format(tostring(user.email or user.id), tostring(user.role or client.role), client.base_url))
  return true
end

return M
