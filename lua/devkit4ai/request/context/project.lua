--- Contexts of the calls of a client's projects and of their end users: private records, keys and tokens.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local object = require "devkit4ai.util.object"
local session = require "devkit4ai.auth.session"

local M = {}

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
  local record = { id = id, _client = client, _secrets = secrets, _key_holder = holder }
  add_child(client, record)
  return record
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
  return { id = scope.id, _client = scope._client, _secrets = secrets }
end

return M
