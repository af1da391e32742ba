--- Accounts: developers share one namespace of addresses, each project's end users have one of their own.
local kdf = require "openssl.kdf"
local rand = require "openssl.rand"
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}
local Accounts = {}
Accounts.__index = Accounts

-- PBKDF2 rounds. A real service takes hundreds of thousands; here the passwords are made up, the hashes never
-- leave memory, and one thread serves all: 10,000 hold it for 5 ms at a login.
local ROUNDS = 10000

---@class devkit4ai.sandbox.User
---@field id string
---@field email string
---@field full_name string?
---@field role "developer"|"end_user"
---@field project_id string?  of an end user
---@field is_active boolean
---@field created_at string
---@field number integer  counts accounts, so that those of one second keep their order

---@param clock fun(): number Unix time
---@param active boolean whether an account is active at once
function M.new(clock, active)
  return setmetatable({
    clock = clock, active = active, count = 0, by_id = {}, by_address = {}, by_project = {}, secrets = {},
  }, Accounts)
end

local function hash(password, salt)
  return kdf.derive { type = "PBKDF2", md = "sha256", pass = password, salt = salt, iter = ROUNDS, outlen = 32 }
end

local function address(email, project_id)
  return (project_id or "") .. " " .. email:lower()
end

--- A new account; nil where its namespace has the address already.
---@param role "developer"|"end_user"
---@param fields { email: string, password: string, full_name: string? }
---@param project_id string? of an end user
---@return devkit4ai.sandbox.User?
function Accounts:register(role, fields, project_id)
  local where = address(fields.email, project_id)
  if self.by_address[where] then return nil end
  local user = {
    id = encoding.uuid(), email = fields.email, full_name = fields.full_name, role = role, project_id = project_id,
    is_active = self.active, created_at = encoding.timestamp(self.clock()), number = self.count + 1,
  }
  local salt = rand.bytes(16)
  self.secrets[user.id] = { salt = salt, hash = hash(fields.password, salt) } -- apart: no form can show it
  self.by_id[user.id], self.by_address[where], self.count = user, user, user.number
  if project_id then
    local list = self:of_project(project_id)
    list[#list + 1] = user
    self.by_project[project_id] = list
  end
  return user
end

--- The account that an address and a password open; nil where they open none.
---@param email string
---@param password string
---@param project_id string? looks at this project's end users alone; without it at developers alone
---@return devkit4ai.sandbox.User?
function Accounts:login(email, password, project_id)
  local user = self.by_address[address(email, project_id)]
  if not user then return nil end
  local secret = self.secrets[user.id]
  return hash(password, secret.salt) == secret.hash and user or nil
end

--- The end users of a project, oldest first.
---@param project_id string
---@return devkit4ai.sandbox.User[]
function Accounts:of_project(project_id)
  return self.by_project[project_id] or {}
end

--- Shuts a project: nobody logs into it any more. Who is in stays known, and meets keys that open nothing.
---@param project_id string
function Accounts:shut(project_id)
  for _, user in ipairs(self:of_project(project_id)) do self.by_address[address(user.email, project_id)] = nil end
  self.by_project[project_id] = nil
end

--- The account of an id.
---@param id string
---@return devkit4ai.sandbox.User?
function Accounts:get(id)
  return self.by_id[id]
end

return M
