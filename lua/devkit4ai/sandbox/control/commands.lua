--- The test-control commands: faults, clock, journal, generations and emails. control_api.lua takes them over HTTP,
--- stdio.lua as JSON lines.
local encoding = require "devkit4ai.sandbox.util.encoding"
local json = require "devkit4ai.sandbox.util.json"
local response_writer = require "devkit4ai.sandbox.http.response_writer"

local M = {}

M.ROOT = "/_sandbox/"

---@class devkit4ai.sandbox.Endpoint
---@field [1] string method
---@field [2] string path below ROOT
---@field command string  a key of COMMANDS
---@field description string

---@type devkit4ai.sandbox.Endpoint[]
M.endpoints = {
  { "GET", "", command = "index", description = "this list" },
  { "GET", "faults", command = "faults", description = "the faults that are set" },
  { "POST", "faults", command = "fault", description = "sets a fault" },
  { "DELETE", "faults", command = "clear_faults", description = "removes all faults" },
  { "GET", "requests", command = "requests", description = "the last 1,000 requests, without secrets" },
  { "DELETE", "requests", command = "clear_requests", description = "removes the requests from the journal" },
  { "GET", "clock", command = "clock", description = "the sandbox's time" },
  { "POST", "clock", command = "clock", description = "moves the clock (advance), stops or restarts it (frozen)" },
  { "GET", "generations", command = "generations", description = "every generation that was created, deleted or not" },
  { "GET", "mails", command = "mails", description = "the emails with verification tokens" },
}

-- The order of the keys in a result, of whatever object; other keys follow by name.
local KEY_ORDER = {
  "n", "number", "id", "user_id", "email", "verification_token", "time", "now", "text", "frozen", "operation",
  "method", "path", "what", "query", "headers",
  "name", "filename", "body_bytes", "body", "parts", "status", "bytes", "sha256", "seconds", "fault", "generation_id",
  "count", "times", "left",
}

-- name -> function(state, fields): the result; or nil and a problem about the fields
local COMMANDS = {}

local function to_milliseconds(time)
  return math.floor(time * 1000) / 1000
end

function COMMANDS.index()
  local list = {}
  for i, endpoint in ipairs(M.endpoints) do
    list[i] = { method = endpoint[1], path = M.ROOT .. endpoint[2], what = endpoint.description }
  end
  return { paths = list }
end

function COMMANDS.fault(state, fields)
  local problem = fields.reset == true and response_writer.reset_unavailable()
  if problem then return nil, problem end
  return state.faults:add(fields)
end

function COMMANDS.faults(state)
  return { faults = json.array(state.faults:list()) }
end

function COMMANDS.clear_faults(state)
  state.faults:clear()
  return COMMANDS.faults(state)
end

function COMMANDS.requests(state)
  return { requests = json.array(state.journal:list()) }
end

function COMMANDS.clear_requests(state)
  state.journal:clear()
  return COMMANDS.requests(state)
end

-- field -> its description, and the check
local CLOCK_FIELDS = {
  advance = { "a number of seconds from 0 to 1000000000", function(value)
    return type(value) == "number" and value >= 0 and value <= 1e9
  end },
  frozen = { "true or false", function(value) return type(value) == "boolean" end },
}

function COMMANDS.clock(state, fields)
  for name, value in pairs(fields) do
    local field = CLOCK_FIELDS[name]
    if not field then return nil, ("unknown field '%s' (known: advance, frozen)"):format(tostring(name)) end
    if not field[2](value) then return nil, name .. " must be " .. field[1] end
  end
  local clock = state.clock
  if fields.frozen ~= nil then clock:set_frozen(fields.frozen) end
  if fields.advance then clock:advance(fields.advance) end
  local now = clock.now()
  return { now = to_milliseconds(now), text = encoding.timestamp(now), frozen = clock:is_frozen() }
end

function COMMANDS.generations(state)
  local list = {}
  for i, generation in ipairs(state.generations:list_created()) do
    list[i] = {
      id = generation.id, time = to_milliseconds(generation.created),
      status = state.generations:status(generation), instructions = generation.instructions,
    }
  end
  return { count = #list, generations = json.array(list) }
end

function COMMANDS.mails(state)
  local list = {}
  for i, email in ipairs(state.outbox:list()) do
    list[i] = {
      user_id = email.user_id, email = email.email, time = to_milliseconds(email.sent_at),
      verification_token = email.token,
    }
  end
  return { mails = json.array(list) }
end

local CHECKS_FIELDS = { fault = true, clock = true } -- the other commands take no fields

--- Runs a command.
---@param state devkit4ai.sandbox.State
---@param name any
---@param fields table
---@return string? json the result; nil: the command is unknown
---@return boolean? ok false: the result is an error
function M.run(state, name, fields)
  local command = COMMANDS[name]
  if not command then return nil end
  local result, problem
  if next(fields) ~= nil and not CHECKS_FIELDS[name] then
    problem = ("%s takes no fields; remove '%s'"):format(name, tostring(next(fields)))
  else
    result, problem = command(state, fields)
  end
  return json.encode_any(result or { error = problem }, KEY_ORDER), result ~= nil
end

return M
