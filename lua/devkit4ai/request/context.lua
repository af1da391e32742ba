--- Contexts of calls: the private record of a client, a project or an end user, with its secrets, settings and limits.
local core = require "devkit4ai.core"
local validate = require "devkit4ai.util.validate"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local limits = require "devkit4ai.api.limits"
local object = require "devkit4ai.util.object"
local refresh = require "devkit4ai.auth.refresh"
local retry = require "devkit4ai.request.retry"
local engine = require "devkit4ai.loop.engine"
local host = require "devkit4ai.loop.host"
local waits = require "devkit4ai.loop.waits"
local session = require "devkit4ai.auth.session"

local M = {}

---@class devkit4ai.Scope what a call is made with. [module]: the one that writes the field after the record is made.
---@field _client devkit4ai.Client whose settings the calls use; a client's record is its own
---@field _secrets userdata core.secrets'; a project's and an end user's see their parent's behind their own
---@field _plans table<string, devkit4ai.Plan> [request/build] by the operation's name; end users of a project share one table
---@field _children table<devkit4ai.Scope, true>? [context] records whose secrets are wiped with this one's; weak keys
---
--- Of a client; an end user's inherits from its developer's what it has not itself:
---@field _role string
---@field _variable string name of the variable in the lines that messages suggest: "client" or "user"
---@field _engine userdata core.engine's
---@field _limits { connect: number, idle: number, total: number } seconds
---@field _creating_limits { connect: number, idle: number } the same for calls that create generations
---@field _retry { attempts: integer, max_wait: number } the option `retry`
---@field _budget { tokens: number } [request/send] what is left of the retry budget
---@field _proxy devkit4ai.Proxy?
---@field _ca_file string?
---@field _public boolean images come only from public addresses
---@field _header_lines string[] of the option `headers`; they name slots
---@field _user_agent string
---@field _project_id string? [context] of the option, or of the account that `register` brought
---@field _project_keys table<string, devkit4ai.KeyHolder>? [context] by project id, for new handles of the project
---@field _part_choice table<string, integer> [request/send] by operation: which name of the files' part the server takes
---@field _server_clock_offset number? [request/time/server_clock] the server's Unix time at core.now() 0
---@field _trace devkit4ai.Trace|false [request/events]
---@field _store devkit4ai.Store? the option `store`
---@field _session devkit4ai.Session [auth/session]
---@field _stored_session devkit4ai.StoredSession? [auth/session, auth/stored_session]
---@field _token_group table<devkit4ai.Client, true>? [auth/shared_tokens] the clients with the same refresh token
---@field _answered_ids table? [generation/answered_ids] ids that generate returned lately; end users' clients share it
---@field _closed boolean [context]
---
--- Of a project:
---@field id string?
---@field _key_holder devkit4ai.KeyHolder? keeps the holder alive while a handle uses it, so that closing the client wipes it
---@field _end_user_class table? [context] what the private records of its end users have in common

---@class devkit4ai.KeyHolder a project's key for new handles
---@field id string of the project
---@field _secrets userdata

local TIMEOUTS = { connect = limits.CONNECT_TIMEOUT, idle = limits.IDLE_TIMEOUT, total = limits.TOTAL_TIMEOUT }

-- The module of events is loaded only for a client with a listener or a log.
local function new_trace(settings, secrets)
  if not (settings.on_event or settings.log) then return false end
  return require("devkit4ai.request.events").new(settings.on_event, settings.log, secrets)
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
    _retry = settings.retry, _budget = { tokens = retry.FULL_BUDGET },
    _proxy = settings.proxy, _public = settings.public,
    _header_lines = settings.lines, _store = settings.store, _trace = new_trace(settings, secrets),
    _user_agent = settings.user_agent or "devkit4ai-lua/" .. require "devkit4ai.util.version",
    _project_id = settings.project_id, _part_choice = {}, _closed = false, _engine = engine.current(),
  }
  scope._client = scope
  session.start(scope, access_token, options and options.refresh_token)
  local fine
  fine, message, err = session.check_store(scope, "devkit4ai.new")
  if not fine then return nil, message, err end
  session.resume(scope)
  return scope
end

local WEAK_KEYS = { __mode = "k" }

-- A child's secrets are wiped with its parent's. rawget: an end user's record inherits its developer's fields.
local function add_child(parent, child)
  local children = rawget(parent, "_children") or setmetatable({}, WEAK_KEYS)
  parent._children, children[child] = children, true
end

-- The key for new handles of a project. rawget: an end user's record inherits its developer's fields.
local function key_holder_of(client, id)
  local keys = rawget(client, "_project_keys")
  return keys and keys[id:lower()]
end

--- Keeps the project key that a client created or was given last, for new handles of that project. Existing handles keep
--- their key, so each key has slots of its own.
---@param client devkit4ai.Client
---@param id string of the project
---@param text string
function M.remember_key(client, id, text)
  local holder = { id = id, _secrets = core.secrets(client._secrets) }
  holder._secrets:set("project_key", text)
  add_child(client, holder)
  client._project_keys = rawget(client, "_project_keys") or {}
  client._project_keys[id:lower()] = holder
end

--- The private record of a project: its secrets see the client's behind their own, and have its own id. The client's
--- project key is for one project only.
---@param client devkit4ai.Scope the client's private record
---@param id string of the project
---@return devkit4ai.Scope? record
---@return string? message
---@return devkit4ai.Error? err
function M.of_project(client, id)
  local holder = key_holder_of(client, id)
  local secrets = core.secrets((holder or client)._secrets)
  if not holder and client._project_id ~= id then secrets:set("project_key", "") end
  local set, _, why = secrets:set("project_id", id, "shown")
  if not set then return errors.refuse("config", "the id can't be used: " .. why, nil, "client:project") end
  local record = {
    id = id, _client = client, _secrets = secrets, _plans = {}, _key_holder = holder,
  }
  add_child(client, record)
  return record
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

-- What the private records of a project's end users have in common. They inherit all other fields from the client's.
local function new_end_user_class(project)
  local client, secrets = project._client, core.secrets(project._secrets)
  secrets:set("access_token", "") -- an empty slot hides the developer's
  secrets:set("refresh_token", "")
  local class = {
    role = "end_user", _role = "end_user", _variable = "user",
    _secrets = secrets, _plans = {}, _project_id = project.id,
    _project = project, -- kept alive with the end user, so that closing the client reaches the end user
  }
  class.__index = object.record_metatable(class, client.__lazy).__index
  return setmetatable(class, { __index = client })
end

local TOKEN_USES = { access_token = "header", refresh_token = "body" }

--- A client for an end user of a project.
---@param project devkit4ai.Project
---@param tokens { access_token: string?, refresh_token: string? }
---@return devkit4ai.Client?
---@return string? message
---@return devkit4ai.Error? err
function M.of_end_user(project, tokens)
  project._end_user_class = project._end_user_class or new_end_user_class(project)
  local secrets = core.secrets(project._end_user_class._secrets)
  for slot, token in pairs(tokens) do
    local set, _, why = secrets:set(slot, token, TOKEN_USES[slot])
    if not set then return errors.refuse("config", ("project:end_user: the %s can't be used: %s"):format(slot, why)) end
  end
  local client, record = project._client, { _secrets = secrets }
  record._client = record
  local class = project._end_user_class
  local user = object.new(client, { base_url = client.base_url, role = class.role }, record, class)
  session.start(record, tokens.access_token, tokens.refresh_token)
  add_child(getmetatable(project), record)
  return user
end

--- Uses another key of a project, in one handle and in the handles that the client makes from now on.
---@param project devkit4ai.Project
---@param text string
---@return boolean? set
---@return string? why
function M.use_key(project, text)
  local set, _, why = project._secrets:set("project_key", text)
  if not set then return nil, why end
  M.remember_key(project._client, project.id, text)
  return true
end

--- Replaces a project's key in each of the client's handles that used the old one, and in new handles.
---@param project devkit4ai.Project
---@param text string
function M.replace_project_key(project, text)
  local client, old = project._client, project._secrets:tag("project_key")
  local scopes = { client._project_id == project.id and client or nil }
  for child in pairs(client._children) do
    if child.id == project.id then scopes[#scopes + 1] = child end
  end
  for _, scope in ipairs(scopes) do
    if scope._secrets:tag("project_key") == old then scope._secrets:set("project_key", text) end
  end
  M.remember_key(client, project.id, text)
end

--- Gives a client the keys and tokens of an account that the client does not have yet.
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
  local id = account.project_id
  client._project_id = client._project_id or id
  if client._project_id == id then
    take("project_key")
  elseif id and account.project_key and not key_holder_of(client, id) then
    M.remember_key(client, id, account.project_key)
  end
  if tokens and not secrets:has("access_token") then session.accept(client, tokens, "register", account.email) end
  return account
end

--- A context for calls with another key; `scope` itself does not change.
---@param scope devkit4ai.Client|devkit4ai.Project
---@param slot string of the key: "developer_key" or "project_key"
---@param text string the key
---@return table? context
---@return string? why no header can hold that key
function M.with_key(scope, slot, text)
  local secrets = core.secrets(scope._secrets)
  local set, _, why = secrets:set(slot, text)
  if not set then return nil, why end
  return { id = scope.id, _client = scope._client, _secrets = secrets, _plans = {} }
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
  refresh.end_closed()
  waits.end_closed()
  wipe(client)
end

return M
