--- What a call is made with: whose secrets, which address, which limits. A client is one, each of its projects another.
local core = require "devkit4ai.core"
local validate = require "devkit4ai.util.validate"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local limits = require "devkit4ai.api.limits"
local object = require "devkit4ai.util.object"
local engine = require "devkit4ai.loop.engine"
local waits = require "devkit4ai.loop.waits"
local retry = require "devkit4ai.request.retry"
local session = require "devkit4ai.auth.session"

local M = {}

---@class devkit4ai.Scope
---@field _client devkit4ai.Client
---@field _secrets userdata the core's slots
---@field _prepared table<string, table> what stays the same of an operation's requests

local TIMEOUTS = { connect = limits.CONNECT_TIMEOUT, idle = limits.IDLE_TIMEOUT, total = limits.TOTAL_TIMEOUT }

-- Loaded where somebody listens.
local function trace_of(settings, secrets)
  if not (settings.on_event or settings.log) then return false end
  return require("devkit4ai.request.events").new(settings.on_event, settings.log, secrets)
end

--- The fields of a new client.
---@param options devkit4ai.Options?
---@return devkit4ai.Scope?
---@return string? message
---@return devkit4ai.Error? err
function M.of_client(options)
  local secrets = core.secrets()
  local settings, access_token, err = config.resolve(options, secrets)
  if not settings then return nil, access_token, err end
  local timeouts, message
  timeouts, message, err = config.timeouts("devkit4ai.new", settings.timeout, TIMEOUTS)
  if not timeouts then return nil, message, err end
  local scope = {
    base_url = settings.base_url, role = settings.role, _called = "client", -- in the lines of messages
    _role = settings.role, _secrets = secrets, _prepared = {}, _ca_file = settings.ca_file, _limits = timeouts,
    _creating = {
      connect = timeouts.connect, idle = settings.timeout and settings.timeout.idle or limits.BILLABLE_IDLE_TIMEOUT,
    },
    _retry = settings.retry, _budget = { tokens = retry.FULL }, _proxy = settings.proxy, _public = settings.public,
    _lines = settings.lines, _store = settings.store, _trace = trace_of(settings, secrets),
    _user_agent = settings.user_agent or "devkit4ai-lua/" .. require "devkit4ai.util.version",
    _project_id = settings.project_id, _parts = {}, _closed = false, _engine = engine.current(),
  }
  scope._client = scope
  session.start(scope, access_token, options and options.refresh_token)
  local fine
  fine, message, err = session.check_store(scope, "devkit4ai.new")
  if not fine then return nil, message, err end
  session.resume(scope)
  return scope
end

local WEAK = { __mode = "k" }

-- Its secrets go when its parent's do. rawget: an end user's client looks like its developer's otherwise.
local function adopt_child(parent, child)
  local children = rawget(parent, "_children") or setmetatable({}, WEAK)
  parent._children, children[child] = children, true
end

-- What new handles of a project begin with, by this very client: an end user's looks like its developer's otherwise.
local function held_key(client, id)
  local keys = rawget(client, "_keys")
  return keys and keys[id:lower()]
end

--- Notes the project key that a client made or was given last, for new handles of that project. Those that exist keep
--- theirs, so each key has slots of its own.
---@param client devkit4ai.Client
---@param id string of the project
---@param text string
function M.remember_key(client, id, text)
  local held = { id = id, _secrets = core.secrets(client._secrets) }
  held._secrets:set("project_key", text)
  adopt_child(client, held)
  client._keys = rawget(client, "_keys") or {}
  client._keys[id:lower()] = held
end

--- The private record of a project: it sees the client's slots behind its own, with its own id; the client's project key is
--- that of one project alone.
---@param client devkit4ai.Scope the client's private record
---@param id string the project's
---@return devkit4ai.Scope? record
---@return string? message
---@return devkit4ai.Error? err
function M.of_project(client, id)
  local held = held_key(client, id)
  local secrets = core.secrets((held or client)._secrets)
  if not held and client._project_id ~= id then secrets:set("project_key", "") end
  local set, _, why = secrets:set("project_id", id, "shown")
  if not set then return errors.refuse("config", "the id can't be used: " .. why, nil, "client:project") end
  local record = {
    id = id, _client = client, _secrets = secrets, _prepared = {},
    _held = held, -- while a handle uses it, so that closing the client wipes it
  }
  adopt_child(client, record)
  return record
end

--- Whether an id that the user gave can be a project's.
---@param id string
---@return boolean?
---@return string? message
---@return devkit4ai.Error? err
function M.check_id(id)
  if config.is_uuid(id) then return true end
  return errors.refuse("invalid", "the id is not a UUID, but " .. validate.describe(id), nil, "client:project")
end

-- What the private records of a project's end users have in common; they inherit the rest from the client's.
local function class_of_users(project)
  local client, secrets = project._client, core.secrets(project._secrets)
  secrets:set("access_token", "") -- the developer's own are not theirs
  secrets:set("refresh_token", "")
  local class = {
    role = "end_user", _role = "end_user", _called = "user", -- in the lines of messages
    _secrets = secrets, _prepared = {}, _project_id = project.id,
    _project = project, -- while a user lives, so that closing the client reaches it
  }
  class.__index = object.record_metatable(class, client.__lazy).__index
  return setmetatable(class, { __index = client })
end

local USES = { access_token = "header", refresh_token = "body" }

--- A client for an end user of a project.
---@param project devkit4ai.Project
---@param tokens { access_token: string?, refresh_token: string? }
---@return devkit4ai.Client?
---@return string? message
---@return devkit4ai.Error? err
function M.of_end_user(project, tokens)
  project._users = project._users or class_of_users(project)
  local secrets = core.secrets(project._users._secrets)
  for slot, token in pairs(tokens) do
    local set, _, why = secrets:set(slot, token, USES[slot])
    if not set then return errors.refuse("config", ("project:end_user: the %s can't be used: %s"):format(slot, why)) end
  end
  local client, record = project._client, { _secrets = secrets }
  record._client = record
  local user = object.new(client, { base_url = client.base_url, role = project._users.role }, record, project._users)
  session.start(record, tokens.access_token, tokens.refresh_token)
  adopt_child(getmetatable(project), record)
  return user
end

--- Takes a key of a project into use, in one handle and in those that the client makes from now on.
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

--- Takes another key of a project into use, in each of the client's handles that used the old one, and in those to come.
---@param project devkit4ai.Project
---@param text string
function M.replace_project_key(project, text)
  local client, old = project._client, project._secrets:tag("project_key")
  local holders = { client._project_id == project.id and client or nil }
  for child in pairs(client._children) do
    if child.id == project.id then holders[#holders + 1] = child end
  end
  for _, holder in ipairs(holders) do
    if holder._secrets:tag("project_key") == old then holder._secrets:set("project_key", text) end
  end
  M.remember_key(client, project.id, text)
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
  local id = account.project_id
  client._project_id = client._project_id or id
  if client._project_id == id then
    take("project_key")
  elseif id and account.project_key and not held_key(client, id) then
    M.remember_key(client, id, account.project_key)
  end
  if tokens and not secrets:has("access_token") then session.accept(client, tokens, "register", account.email) end
  return account
end

local function wipe(scope)
  scope._secrets:wipe()
  for child in pairs(rawget(scope, "_children") or {}) do wipe(child) end
end

--- Ends a client, and the clients of its projects' end users: what they have under way is cancelled, their secrets are
--- wiped. Twice is once.
---@param client devkit4ai.Client
function M.close(client)
  if client._closed then return end
  client._closed = true
  session.end_closed()
  waits.end_closed()
  wipe(client)
end

return M
