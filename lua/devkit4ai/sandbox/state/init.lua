--- The state of one sandbox: all of it is in memory. Its records keep what a later process continues from.
local accounts = require "devkit4ai.sandbox.state.accounts"
local clocks = require "devkit4ai.sandbox.state.clock"
local dialects = require "devkit4ai.sandbox.dialect"
local encoding = require "devkit4ai.sandbox.util.encoding"
local faults = require "devkit4ai.sandbox.control.faults"
local generations = require "devkit4ai.sandbox.state.generations"
local image_links = require "devkit4ai.sandbox.images.image_links"
local journal = require "devkit4ai.sandbox.control.journal"
local keys = require "devkit4ai.sandbox.state.keys"
local options = require "devkit4ai.sandbox.options"
local outbox = require "devkit4ai.sandbox.state.outbox"
local projects = require "devkit4ai.sandbox.state.projects"
local rate_limits = require "devkit4ai.sandbox.state.rate_limits"
local rate_window = require "devkit4ai.sandbox.state.rate_window"
local tokens = require "devkit4ai.sandbox.state.tokens"

local M = {}

local DAY = 24 * 3600
local MONTH = 30 * DAY -- a window like the others, not a month of the calendar

---@class devkit4ai.sandbox.State
---@field records devkit4ai.sandbox.Records
---@field settings devkit4ai.sandbox.Settings
---@field dialect table<string, string>  a value for each axis
---@field operator_key string
---@field clock devkit4ai.sandbox.Clock
---@field accounts devkit4ai.sandbox.Accounts
---@field outbox devkit4ai.sandbox.Outbox
---@field keys devkit4ai.sandbox.Keys
---@field projects devkit4ai.sandbox.Projects
---@field tokens devkit4ai.sandbox.Tokens
---@field generations devkit4ai.sandbox.Generations
---@field image_links devkit4ai.sandbox.ImageLinks
---@field rate_limits devkit4ai.sandbox.RateLimits
---@field generation_quotas table<string, devkit4ai.sandbox.RateWindow>  by the kind of upload
---@field faults devkit4ai.sandbox.Faults
---@field journal devkit4ai.sandbox.Journal
local State = {}
State.__index = State

-- options.lua explains each setting. A limit that is nil allows any number.
---@class devkit4ai.sandbox.Settings
---@field data string?  folder
---@field step_time number  seconds
---@field access_life number  seconds
---@field refresh_life number  seconds
---@field activation "at_once"|"verified"
---@field tier "none"|"free"|"starter"|"premium"
---@field project_limit integer?
---@field key_limit integer?
---@field user_limit integer?
---@field generation_limit integer?
---@field monthly_generation_limit integer?
---@field anonymous_limit integer?
---@field request_limit integer?
---@field daily_request_limit integer?
---@field auth_limit integer?
---@field management_limit integer?
---@field dialect string|table  as dialect.resolve accepts it

-- The name of each operation -> whether it creates generations. The download of an image is an operation too.
local function operations_of(routes)
  local operations = { picture = false }
  for _, route in ipairs(routes) do operations[route.name] = route.upload ~= nil end
  return operations
end

-- The secrets of a sandbox. A later process has the same ones, so tokens, links and the operator key stay valid.
local function secrets_of(records)
  local secrets = records:find("sandbox", "secrets")
  if not secrets then
    secrets = {
      operator_key = "op_" .. encoding.random_secret(), tokens = encoding.random_secret(),
      links = encoding.random_secret(),
    }
    records:put("sandbox", "secrets", secrets)
  end
  return secrets
end

---@param given table<string, any> the settings, under the names of options.lua
---@param routes devkit4ai.sandbox.Route[]
---@param image_origin string where result images are served
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.State
function M.new(given, routes, image_origin, records)
  local settings = options.with_defaults(given)
  local dialect = dialects.resolve(settings.dialect)
  local secrets = secrets_of(records)
  local clock = clocks.new(records)
  local now = clock.now
  local lifetimes = { access = settings.access_life, refresh = settings.refresh_life }
  local function quota(name, seconds) return rate_window.new(settings[name], seconds, now, records, name) end
  return setmetatable({
    records = records, settings = settings, dialect = dialect, clock = clock, operator_key = secrets.operator_key,
    accounts = accounts.new(now, settings.activation == "at_once", records), outbox = outbox.new(now, records),
    keys = keys.new(now, records), projects = projects.new(now, records),
    tokens = tokens.new(now, lifetimes, secrets.tokens, records),
    generations = generations.new(now, settings.step_time, records),
    image_links = image_links.new(image_origin, secrets.links),
    rate_limits = rate_limits.new(settings, dialect.rate_headers, now, records),
    generation_quotas = {
      project = quota("monthly_generation_limit", MONTH), anonymous = quota("anonymous_limit", DAY),
    },
    faults = faults.new(operations_of(routes)), journal = journal.new(now),
  }, State)
end

--- Registers a developer with a first project, its key, and a developer key (wire.md 2.4).
---@param registration { email: string, password: string, full_name: string? }
---@return devkit4ai.sandbox.User? user nil: the address is taken
---@return { project_id: string, api_key: string, developer_key: string }? provisioning
function State:register_developer(registration)
  local user = self.accounts:register("developer", registration)
  if not user then return nil end
  local project = self.projects:create(user.id, { name = "Default Project" })
  local _, developer_key = self.keys:create("developer", { owner_id = user.id, name = "Default Developer Key" })
  local _, api_key = self.keys:create("project",
    { owner_id = user.id, project_id = project.id, name = "Default API Key" })
  return user, { project_id = project.id, api_key = api_key, developer_key = developer_key }
end

--- Registers a developer who can log in at once, also where other accounts need verification.
---@param account { email: string, password: string }
---@return devkit4ai.sandbox.User? user nil: the address is taken
---@return { project_id: string, project_key: string, developer_key: string }? credentials
function State:register_active_developer(account)
  local user, provisioning = self:register_developer { email = account.email, password = account.password }
  if not user then return nil end
  self.accounts:activate(user)
  return user, {
    project_id = provisioning.project_id, project_key = provisioning.api_key,
    developer_key = provisioning.developer_key,
  }
end

--- Deletes a project. Its keys become invalid and its end users can't log in. Its generations stay.
---@param project devkit4ai.sandbox.Project
function State:delete_project(project)
  self.projects:delete(project)
  self.accounts:close_project(project.id)
end

return M
