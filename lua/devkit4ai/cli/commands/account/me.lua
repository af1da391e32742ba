--- devkit4ai me: who is signed in.
local session = require "devkit4ai.cli.client"

local M = { name = "me", summary = "Show who is logged in." }

M.examples = { { "devkit4ai me" }, { "devkit4ai me --json" } }

--- The command has no options of its own.
function M.declare() end

--- Asks the server.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local client, settings, err = session.open(options, shell)
  if not client then return nil, settings, err end
  local user, message
  user, message, err = client:me()
  if not user then return nil, message, err end
  shell:give({
    id = user.id, email = user.email, full_name = user.full_name, role = user.role, is_active = user.is_active,
    created_at = user.created_at, base_url = client.base_url,
  }, ("%s (%s) at %s"):format(tostring(user.email or user.id), tostring(user.role or client.role), client.base_url))
  return true
end

return M
