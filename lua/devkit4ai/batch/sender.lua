--- Who sends the jobs of a batch: the account, and the project of jobs that name none. A generation is found with the account and the
--- project that it was created with, and with no other.
local core = require "devkit4ai.core"
local session = require "devkit4ai.auth.session"

local M = {}

---@class devkit4ai.batch.Sender
---@field account string? digest; nil: the client has no token that names its account
---@field project string? id
---@field marker boolean? the instructions get a marker

-- nil: the client has no token that names its account.
local function account_of(client)
  return session.load_missing(client) and session.account(client) or nil
end

--- The digest of what one set of limits holds for: an address, a role and an account.
---@param client devkit4ai.Client
---@return string? digest nil: the client has no token that names its account
function M.limits_key(client)
  local account = account_of(client)
  return account and core.digest(("%s %s %s"):format(client.base_url, client.role, account))
end

--- The sender of a client's jobs.
---@param client devkit4ai.Client
---@param project (string|devkit4ai.Project)? of jobs that name none; default: the client's
---@return devkit4ai.batch.Sender
function M.of(client, project)
  if type(project) == "table" then project = project.id end
  local account = account_of(client) -- without the address: a service may have several
  return { account = account and core.digest(account), project = project or client._project_id }
end

local CHANGES = {
  { "account", "with another account; use that one" },
  { "project", "in another project; use that one" },
  { "marker", "with the other setting of the marker (--no-marker); use that one" },
}

--- What differs between two senders, if that is known of both.
---@param before devkit4ai.batch.Sender
---@param now devkit4ai.batch.Sender
---@return string? change "with another account; use that one"
function M.change(before, now)
  for _, change in ipairs(CHANGES) do
    local field = change[1]
    if before[field] ~= nil and now[field] ~= nil and before[field] ~= now[field] then return change[2] end
  end
end

return M
