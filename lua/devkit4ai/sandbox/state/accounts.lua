--- User accounts. An email address is unique among developers, and among the end users of one project.
local kdf = require "openssl.kdf"
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

---@class devkit4ai.sandbox.Accounts
---@field private _now fun(): number
---@field private _active_at_once boolean  new accounts need no verification
---@field private _records devkit4ai.sandbox.Records
---@field private _count integer
---@field private _by_id table<string, devkit4ai.sandbox.User>
---@field private _by_address table<string, devkit4ai.sandbox.User>  those that can log in
---@field private _by_project table<string, devkit4ai.sandbox.User[]>
---@field private _passwords table<string, { salt: string, hash: string }>  not in the users, so no response has them
local Accounts = {}
Accounts.__index = Accounts

-- PBKDF2 rounds. A real service uses hundreds of thousands. Here the passwords are made up, and one thread serves all
-- requests: 10,000 rounds block it for 5 ms.
local ROUNDS = 10000

---@class devkit4ai.sandbox.User an account; only this module writes it
---@field id string
---@field email string
---@field full_name string?
---@field role "developer"|"end_user"
---@field project_id string?  of an end user
---@field is_active boolean  whether the account can log in
---@field is_closed boolean?  its project was deleted
---@field created_at string
---@field number integer  orders accounts of the same second

---@param now fun(): number Unix time
---@param active_at_once boolean
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Accounts
function M.new(now, active_at_once, records)
  local self = setmetatable({
    _now = now, _active_at_once = active_at_once, _records = records, _count = 0, _by_id = {}, _by_address = {},
    _by_project = {}, _passwords = {},
  }, Accounts)
  for _, user in records:each "account" do self:_add(user) end
  for id, password in records:each "password" do self._passwords[id] = password end
  return self
end

local function hash(password, salt)
  return encoding.base64url_encode(kdf.derive {
    type = "PBKDF2", md = "sha256", pass = password, salt = salt, iter = ROUNDS, outlen = 32,
  })
end

local function address_key(email, project_id)
  return (project_id or "") .. " " .. email:lower()
end

function Accounts:_add(user)
  self._count = user.number
  self._by_id[user.id] = user
  if user.is_closed then return end
  self._by_address[address_key(user.email, user.project_id)] = user
  if user.project_id then
    local users = self._by_project[user.project_id] or {}
    users[#users + 1] = user
    self._by_project[user.project_id] = users
  end
end

--- Makes an account.
---@param role "developer"|"end_user"
---@param registration { email: string, password: string, full_name: string? }
---@param project_id string? of an end user
---@return devkit4ai.sandbox.User? user nil: the address is taken
function Accounts:register(role, registration, project_id)
  if self._by_address[address_key(registration.email, project_id)] then return nil end
  local user = {
    id = encoding.new_uuid(), email = registration.email, full_name = registration.full_name, role = role,
    project_id = project_id, is_active = self._active_at_once, created_at = encoding.timestamp(self._now()),
    number = self._count + 1,
  }
  local salt = encoding.random_secret()
  local stored = { salt = salt, hash = hash(registration.password, salt) }
  self._passwords[user.id] = stored
  self:_add(user)
  self._records:put("account", user.id, user)
  self._records:put("password", user.id, stored)
  return user
end

--- Checks an address and a password.
---@param email string
---@param password string
---@param project_id string? of an end user; without it the address is a developer's
---@return devkit4ai.sandbox.User? user nil: wrong address or password
function Accounts:authenticate(email, password, project_id)
  local user = self._by_address[address_key(email, project_id)]
  if not user then return nil end
  local stored = self._passwords[user.id]
  return hash(password, stored.salt) == stored.hash and user or nil
end

--- Lets an account log in.
---@param user devkit4ai.sandbox.User
function Accounts:activate(user)
  user.is_active = true
  self._records:put("account", user.id, user)
end

--- The end users of a project, oldest first.
---@param project_id string
---@return devkit4ai.sandbox.User[]
function Accounts:list_by_project(project_id)
  return self._by_project[project_id] or {}
end

--- Ends the logins of a project's end users. Their access tokens stay valid, but the project's keys do not.
---@param project_id string
function Accounts:close_project(project_id)
  for _, user in ipairs(self:list_by_project(project_id)) do
    self._by_address[address_key(user.email, project_id)] = nil
    user.is_closed = true
    self._records:put("account", user.id, user)
  end
  self._by_project[project_id] = nil
end

---@param id string
---@return devkit4ai.sandbox.User?
function Accounts:get(id)
  return self._by_id[id]
end

return M
