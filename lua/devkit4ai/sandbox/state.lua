--- All that one sandbox knows, in memory; and what more than one place does with it.
local accounts = require "devkit4ai.sandbox.accounts"
local clocks = require "devkit4ai.sandbox.clock"
local dialects = require "devkit4ai.sandbox.dialect"
local encoding = require "devkit4ai.sandbox.encoding"
local faults = require "devkit4ai.sandbox.faults"
local generations = require "devkit4ai.sandbox.generations"
local journal = require "devkit4ai.sandbox.journal"
local keys = require "devkit4ai.sandbox.keys"
local projects = require "devkit4ai.sandbox.projects"
local rates = require "devkit4ai.sandbox.rates"
local tokens = require "devkit4ai.sandbox.tokens"

local M = {}
local State = {}
State.__index = State

---@class devkit4ai.sandbox.Settings
---@field step_time number  seconds
---@field access_life number  seconds
---@field refresh_life number  seconds
---@field project_limit integer?  projects a developer may have; nil: any number, as for the other two
---@field generation_limit integer?  generations a user may have under way
---@field request_limit integer?  requests an hour
---@field dialect string|table  as dialect.resolve takes it

-- name of an operation -> whether it makes generations; the pictures' storage is one more.
local function operations_of(routes)
  local operations = { picture = false }
  for _, route in ipairs(routes) do operations[route.name] = route.upload ~= nil end
  return operations
end

---@param settings devkit4ai.sandbox.Settings
---@param routes table[] of the API
function M.new(settings, routes)
  local dialect = dialects.resolve(settings.dialect)
  local clock = clocks.new()
  return setmetatable({
    settings = settings, dialect = dialect, clock = clock,
    faults = faults.new(operations_of(routes)), journal = journal.new(clock),
    operator_key = "op_" .. encoding.random_text(),
    accounts = accounts.new(clock), keys = keys.new(clock), projects = projects.new(clock),
    generations = generations.new(clock, settings.step_time),
    rates = rates.new(settings.request_limit, dialect.rate_headers, clock),
    tokens = tokens.new(clock, { access = settings.access_life, refresh = settings.refresh_life }),
  }, State)
end

--- Registers a developer with a first project, its key, and a developer key (CONTRACT 2.4).
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

return M
