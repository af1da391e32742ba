--- What a call is made with: whose secrets, which address, which limits. A client is one, each of its projects another.
local core = require "devkit4ai.core"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.errors"
local runtime = require "devkit4ai.runtime"
local session = require "devkit4ai.session"

local M = {}

---@class devkit4ai.Scope
---@field _client devkit4ai.Client
---@field _secrets userdata the core's slots
---@field _prepared table<string, table> what stays the same of an operation's requests

local ORDINARY = { connect = 10, idle = 30, total = 120 } -- seconds; design, section 2
local CREATING = { connect = 10, idle = 120 } -- no total limit: it would turn slow lines into unknown outcomes (CONTRACT 1.2)

--- The fields of a new client.
---@param options devkit4ai.Options?
---@return devkit4ai.Scope?
---@return string? message
---@return devkit4ai.Error? err
function M.of_client(options)
  local secrets = core.secrets()
  local settings, access_token, err = config.settle(options, secrets)
  if not settings then return nil, access_token, err end
  local limits, message
  limits, message, err = config.limits("devkit4ai.new", settings.timeout, ORDINARY)
  if not limits then return nil, message, err end
  local scope = {
    base_url = settings.base_url, role = settings.role,
    _role = settings.role, _secrets = secrets, _prepared = {}, _ca_file = settings.ca_file, _limits = limits,
    _creating = { connect = limits.connect, idle = settings.timeout and settings.timeout.idle or CREATING.idle },
    _user_agent = settings.user_agent or "devkit4ai-lua/" .. require "devkit4ai.version",
    _project_id = settings.project_id, _parts = {}, _closed = false, _flight = false, _engine = runtime.engine(),
    _projects = setmetatable({}, { __mode = "k" }), -- their own secrets go when the client's do
  }
  scope._client = scope
  session.start(scope, access_token)
  return scope
end

--- Makes the answer of a project a scope: it sees the client's slots behind its own, with its own id; the client's project
--- key is that of one project alone.
---@param client devkit4ai.Client
---@param fields table with the project's id
---@return devkit4ai.Scope? fields
---@return string? message
---@return devkit4ai.Error? err
function M.of_project(client, fields)
  local secrets = core.secrets(client._secrets)
  if client._project_id ~= fields.id then secrets:set("project_key", "") end
  local set, _, why = secrets:set("project_id", fields.id, "shown")
  if not set then return errors.refuse("config", "client:project: the id can't be used: " .. why) end
  fields._client, fields._secrets, fields._prepared = client, secrets, {}
  client._projects[fields] = true
  return fields
end

--- The same for an id that the user gave.
---@param client devkit4ai.Client
---@param id string
---@return devkit4ai.Scope?
---@return string? message
---@return devkit4ai.Error? err
function M.of_id(client, id)
  if not config.is_uuid(id) then return errors.refuse("invalid", "client:project: the id is no UUID: " .. id) end
  return M.of_project(client, { id = id })
end

--- Gives a client what it does not hold yet of an account's keys and tokens.
---@param client devkit4ai.Client
---@param account devkit4ai.Account
---@return devkit4ai.Account account without its tokens
function M.adopt(client, account)
  local secrets, tokens = client._secrets, account._tokens
  account._tokens = nil
  local function take(slot, use)
    if account[slot] and not secrets:has(slot) then secrets:set(slot, account[slot], use) end
  end
  take("developer_key")
  take("project_id", "shown")
  client._project_id = client._project_id or account.project_id
  if client._project_id == account.project_id then take("project_key") end
  if tokens and not secrets:has("access_token") then session.accept(client, tokens, "register") end
  return account
end

--- Ends a client: what it has under way is cancelled, its secrets are wiped. Twice is once.
---@param client devkit4ai.Client
function M.close(client)
  if client._closed then return end
  client._closed = true
  runtime.cancel(client)
  client._secrets:wipe()
  for project in pairs(client._projects) do project._secrets:wipe() end
end

return M
