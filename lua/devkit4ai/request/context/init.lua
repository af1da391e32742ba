--- Contexts of calls: the private record of a client, with its secrets, settings and limits. Those of its projects and of
--- their end users are in request/context/project.
local core = require "devkit4ai.core"
local validate = require "devkit4ai.util.validate"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local limits = require "devkit4ai.api.limits"
local NO_REFRESH = require "devkit4ai.auth.no_refresh"
local lazy = require "devkit4ai.util.lazy"
local refresh = lazy.module "devkit4ai.auth.refresh"
local engine = require "devkit4ai.loop.engine"
local host = require "devkit4ai.loop.host"
local waits = require "devkit4ai.loop.waits"
local session = lazy.module "devkit4ai.auth.session"

local M = {}

---@class devkit4ai.Scope what a call is made with. [module]: the one that writes the field after the record is made.
---@field _client devkit4ai.Client whose settings the calls use; a client's record is its own
---@field _secrets userdata core.secrets'; a project's and an end user's see their parent's behind their own
---@field _children table<devkit4ai.Scope, true>? [context/project] records whose secrets are wiped with this one's; weak keys
---
--- Of a client; an end user's inherits from its developer's what it has not itself:
---@field _role string
---@field _variable string name of the variable in the lines that messages suggest: "client" or "user"
---@field _engine userdata core.engine's
---@field _limits { connect: number, idle: number, total: number } seconds
---@field _creating_limits { connect: number, idle: number } the same for calls that create generations
---@field _retry { attempts: integer, max_wait: number } the option `retry`
---@field _budget { tokens: number } [request/send] what is left of the retry budget
---@field _plans table<string, devkit4ai.Plan> [request/build] by the operation's name, for its projects too; end users of a project share one
---@field _proxy devkit4ai.Proxy?
---@field _ca_file string?
---@field _public boolean images come only from public addresses
---@field _header_lines string[] of the option `headers`; they name slots
---@field _user_agent string
---@field _project_id string? [context/project] of the option, or of the account that `register` brought
---@field _project_keys table<string, devkit4ai.KeyHolder>? [context/project] by project id, for new handles of the project
---@field _part_choice table<string, integer> [request/retry/next_attempt] by operation: which name of the files' part the server takes
---@field _server_clock_offset number? [request/time/server_clock] the server's Unix time at core.now() 0
---@field _trace devkit4ai.Trace|false [request/events]
---@field _store devkit4ai.Store? the option `store`
---@field _session devkit4ai.Session [auth/session]
---@field _stored_session devkit4ai.StoredSession? [auth/session, auth/stored_session]
---@field _token_account { tag: string?, account: string? }? [auth/session] the account that an access token names, so that a poll need not decode it
---@field _token_group table<devkit4ai.Client, true>? [auth/shared_tokens] the clients with the same refresh token
---@field _answered_ids table? [generation/answered_ids] ids that generate returned lately; end users' clients share it
---@field _closed boolean [context]
---
--- Of a project:
---@field id string?
---@field _key_holder devkit4ai.KeyHolder? keeps the holder alive while a handle uses it, so that closing the client wipes it
---@field _end_user_class table? [context/project] what the private records of its end users have in common

---@class devkit4ai.KeyHolder a project's key for new handles
---@field id string of the project
---@field _secrets userdata

local TIMEOUTS = { connect = limits.CONNECT_TIMEOUT, idle = limits.IDLE_TIMEOUT, total = limits.TOTAL_TIMEOUT }

-- The module of events is loaded only for a client with a listener or a log.
local function new_trace(settings, secrets)
  if not (settings.on_event or settings.log) then return false end
  return require("devkit4ai.request.events").new(settings.on_event, settings.log, secrets)
end

-- Starts the session of a client. Most scripts have an access token alone: they need no module of sessions.
local function start_session(scope, access_token, refresh_token)
  scope._session = NO_REFRESH
  if not (scope._store or scope._secrets:has("refresh_token")) then return true end
  session.start(scope, access_token, refresh_token)
  local fine, message, err = session.check_store(scope, "devkit4ai.new")
  if not fine then return nil, message, err end
  session.resume(scope)
  return true
end

--- The private record of a new client.
---@param options devkit4ai.Options?
---@return devkit4ai.Scope?
---@return string? message
---@return devkit4ai.Error? err
function M.of_client(options)
  local secrets = core.secrets()
  local settings, access_token, err = config.resolve(options, secrets)
  if not settings then return nil, access_token, err end
  local chosen, why
  chosen, why, err = host.choose(settings.loop)
  if not chosen then return nil, why, err end
  local timeouts, message
  timeouts, message, err = config.timeouts("devkit4ai.new", settings.timeout, TIMEOUTS)
  if not timeouts then return nil, message, err end
  local scope = {
    base_url = settings.base_url, role = settings.role, _variable = "client",
    _role = settings.role, _secrets = secrets, _plans = {}, _ca_file = settings.ca_file, _limits = timeouts,
    _creating_limits = {
      connect = timeouts.connect, idle = settings.timeout and settings.timeout.idle or limits.BILLABLE_IDLE_TIMEOUT,
    },
    _retry = settings.retry, _budget = { tokens = limits.RETRY_BUDGET },
    _proxy = settings.proxy, _public = settings.public,
    _header_lines = settings.lines, _store = settings.store, _trace = new_trace(settings, secrets),
    _user_agent = settings.user_agent or "devkit4ai-lua/" .. require "devkit4ai.util.version",
    _project_id = settings.project_id, _part_choice = {}, _closed = false, _engine = engine.current(),
  }
  scope._client = scope
  local started
  started, message, err = start_session(scope, access_token, options and options.refresh_token)
  if not started then return nil, message, err end
  return scope
end

--- Checks the id of a project that the user gave.
---@param id string
---@return boolean?
---@return string? message
---@return devkit4ai.Error? err
function M.check_id(id)
  if config.is_uuid(id) then return true end
  return errors.refuse("invalid", "the id is not a UUID, but " .. validate.describe(id), nil, "client:project")
end

local function wipe(scope)
  scope._secrets:wipe()
  for child in pairs(rawget(scope, "_children") or {}) do wipe(child) end
end

--- Closes a client and the clients of its projects' end users: cancels their calls and wipes their secrets. A repeat does
--- nothing.
---@param client devkit4ai.Client
function M.close(client)
  if client._closed then return end
  client._closed = true
  if package.loaded["devkit4ai.auth.refresh"] then refresh.end_closed() end -- else no client has refreshed its tokens
  waits.end_closed()
  wipe(client)
end

return M
