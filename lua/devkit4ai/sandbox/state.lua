--- All that one sandbox knows, in memory; and what more than one place does with it.
local accounts = require "devkit4ai.sandbox.accounts"
local clocks = require "devkit4ai.sandbox.clock"
local dialects = require "devkit4ai.sandbox.dialect"
local encoding = require "devkit4ai.sandbox.encoding"
local faults = require "devkit4ai.sandbox.faults"
local generations = require "devkit4ai.sandbox.generations"
local journal = require "devkit4ai.sandbox.journal"
local keys = require "devkit4ai.sandbox.keys"
local mails = require "devkit4ai.sandbox.mails"
local options = require "devkit4ai.sandbox.options"
local projects = require "devkit4ai.sandbox.projects"
local rates = require "devkit4ai.sandbox.rates"
local tokens = require "devkit4ai.sandbox.tokens"
local windows = require "devkit4ai.sandbox.windows"

local M = {}

---@class devkit4ai.sandbox.State all that one sandbox knows
local State = {}
State.__index = State

local DAY = 24 * 3600
local MONTH = 30 * DAY -- a window, as the others, and no month of the calendar

-- What each means is in options.lua; a limit that is nil lets any number through.
---@class devkit4ai.sandbox.Settings
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
---@field dialect string|table  as dialect.resolve takes it

-- name of an operation -> whether it makes generations; the pictures' storage is one more.
local function operations_of(routes)
  local operations = { picture = false }
  for _, route in ipairs(routes) do operations[route.name] = route.upload ~= nil end
  return operations
end

---@param given table<string, any> the settings, as options.lua has them
---@param routes table[] of the API
function M.new(given, routes)
  local settings = options.settle(given)
  local dialect = dialects.resolve(settings.dialect)
  local clock = clocks.new()
  return setmetatable({
    settings = settings, dialect = dialect, clock = clock,
    faults = faults.new(operations_of(routes)), journal = journal.new(clock),
    operator_key = "op_" .. encoding.random_text(),
    accounts = accounts.new(clock, settings.activation == "at_once"), mails = mails.new(clock),
    keys = keys.new(clock), projects = projects.new(clock),
    generations = generations.new(clock, settings.step_time),
    rates = rates.new(settings, dialect.rate_headers, clock),
    quotas = { -- a route's upload -> what limits it
      own = windows.new(settings.monthly_generation_limit, MONTH, clock),
      anonymous = windows.new(settings.anonymous_limit, DAY, clock),
    },
    tokens = tokens.new(clock, { access = settings.access_life, refresh = settings.refresh_life }),
  }, State)
end

--- Registers a developer with a first project, its key, and a developer key (wire.md 2.4).
---@param fields { email: string, password: string, full_name: string? }
---@return devkit4ai.sandbox.User? user nil: the address is taken
---@return { project_id: string, api_key: string, developer_key: string }? provisioning
function State:register_developer(fields)
  local user = self.accounts:register("developer", fields)
  if not user then return nil end
  local project = self.projects:create(user.id, { name = "Default Project" })
  local _, developer_key = self.keys:issue("developer", { owner_id = user.id, name = "Default Developer Key" })
  local _, api_key = self.keys:issue("project",
    { owner_id = user.id, project_id = project.id, name = "Default API Key" })
  return user, { project_id = project.id, api_key = api_key, developer_key = developer_key }
end

--- Deletes a project: its keys open nothing, and nobody logs into it any more. What was generated in it stays.
---@param project devkit4ai.sandbox.Project
function State:delete_project(project)
  self.projects:delete(project)
  self.accounts:shut(project.id)
end

return M
