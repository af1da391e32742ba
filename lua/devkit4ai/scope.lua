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
    _project_id = settings.project_id, _closed = false, _flight = false, _engine = runtime.engine(),
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
  return fields
end

--- Ends a client: what it has under way is cancelled, its secrets are wiped. Twice is once.
---@param client devkit4ai.Client
function M.close(client)
  if client._closed then return end
  client._closed = true
  runtime.cancel(client)
  client._secrets:wipe()
end

return M
