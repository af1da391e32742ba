--- Faults that a test injects: their fields, and which requests they hit.
local json = require "devkit4ai.sandbox.util.json"

local M = {}

---@class devkit4ai.sandbox.Faults
---@field private _operations table<string, boolean>  name -> whether it creates generations
---@field private _active devkit4ai.sandbox.ActiveFault[]  in the order in which they were set
---@field private _count integer  faults so far
local Faults = {}
Faults.__index = Faults

---@class devkit4ai.sandbox.ActiveFault
---@field fault devkit4ai.sandbox.Fault
---@field left integer  requests that it will still hit
---@field skip integer  matching requests that it lets pass first
---@field has_response boolean  it replaces the service's response
---@field random (fun(): number)?  of a fault with a chance

local CUTS = { before = true, during = true, after = true }

local function boolean(value)
  if type(value) ~= "boolean" then return "must be true or false" end
end

local function text(value)
  if type(value) ~= "string" then return "must be a string" end
end

local function number(min, max, is_whole)
  return function(value)
    local fits = type(value) == "number" and value >= min and value <= max
    if fits and (not is_whole or value % 1 == 0) then return nil end
    return ("must be a %s from %.14g to %.14g"):format(is_whole and "whole number" or "number", min, max)
  end
end

local function is_header_value(value)
  return (type(value) == "string" or type(value) == "number") and not tostring(value):find("[%c\127]")
end

-- An object of header names. A value is one text, or a list of texts for several headers of the name.
local function headers(value)
  if type(value) ~= "table" then return "must be an object" end
  for name, given in pairs(value) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
      return ("has '%s', which is not a header name"):format(tostring(name))
    end
    if name:lower() == "content-length" then return "can't have Content-Length: use the field length" end
    local lines = type(given) == "table" and given or { given }
    local valid = lines[1] ~= nil
    for _, line in ipairs(lines) do valid = valid and is_header_value(line) end
    if not valid then return ("must have values of one line: '%s' has none"):format(name) end
  end
  if next(value) == nil then return "must have at least one header" end
end

-- The fields of a fault. check: gives a message about a wrong value; effect: the field does something, and one of these
-- is needed; response: it replaces the service's response; body: it replaces the body, and only one of these is allowed.
local FIELDS = {
  { "operation", check = text },
  { "times", check = number(1, 1e9, true) }, { "after", check = number(0, 1e9, true) },
  { "chance", check = number(0, 1) }, { "seed", check = number(0, 2 ^ 31, true) },
  { "refuse", check = boolean, effect = true },
  { "delay", check = number(0, 86400), effect = true },
  { "cut", effect = true, check = function(value)
    if not CUTS[value] then return "must be 'before', 'during' or 'after'" end
  end },
  { "reset", check = boolean },
  { "slow", check = number(0.1, 1e9), effect = true },
  { "length", check = number(-1e9, 1e9, true), effect = true },
  { "broken", check = boolean, effect = true },
  { "headers", check = headers, effect = true },
  { "status", check = number(200, 599, true), effect = true, response = true },
  { "body", check = text, effect = true, response = true, body = true },
  { "detail", check = text, effect = true, response = true, body = true },
  { "html", check = boolean, effect = true, response = true, body = true },
  { "rate_limit", check = number(0, 1e9, true), effect = true, response = true, body = true },
  { "work", check = boolean },
  { "fail", effect = true, check = function(value) return value ~= true and text(value) or nil end },
  { "hang", check = boolean, effect = true },
}

local FIELDS_BY_NAME, NAMES = {}, {}
for i, field in ipairs(FIELDS) do
  FIELDS_BY_NAME[field[1]], NAMES[i] = field, field[1]
end
local KNOWN_FIELDS = " (known: " .. table.concat(NAMES, ", ") .. ")"

local function sorted_names(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

-- The names of the first two fields of a property that are given.
local function first_two(given, property)
  local first
  for _, field in ipairs(FIELDS) do
    if field[property] and given[field[1]] then
      if first then return first, field[1] end
      first = field[1]
    end
  end
  return first
end

-- Why a refused connection can't have these fields; nil: it can.
local function refuse_problem(given)
  for _, field in ipairs(FIELDS) do
    if field.effect and given[field[1]] and field[1] ~= "refuse" then return "refuse excludes " .. field[1] end
  end
  if given.operation and given.operation ~= "picture" then
    return "refuse can only have the operation picture: the connection is refused before its request is read"
  end
end

-- Why the fields do not fit together; nil: they do.
local function combination_problem(given, creates_generations)
  if not first_two(given, "effect") then
    return "a fault must do something: no field with an effect is given" .. KNOWN_FIELDS
  end
  local refuse = given.refuse and refuse_problem(given)
  if refuse then return refuse end
  if given.reset and not given.cut then return "reset needs cut" end
  if given.work and not first_two(given, "response") then
    return "work needs a field that replaces the response, such as status"
  end
  local one, other = first_two(given, "body")
  if other then return one .. " excludes " .. other end
  if (given.fail or given.hang) and not creates_generations then
    return "fail and hang need an operation that creates a generation"
  end
end

---@class devkit4ai.sandbox.Fault an injected fault; docs/sandbox.md tells which fields exclude each other
---@field number integer? of a fault that was set
---@field left integer? requests that it will still hit; of a list of faults
---@field operation string? the requests that it hits: an operation's name, or "picture"; default any
---@field times integer? how many requests; default 1
---@field after integer? how many matching requests pass first; default 0
---@field chance number? the chance to hit a request, 0 to 1
---@field seed integer? of chance: the same seed hits the same requests; default 1
---@field refuse boolean? resets the connection before the request is read
---@field delay number? seconds of real time between the work and the response
---@field cut string? closes the connection "before" the work, "during" the response, or "after" the work
---@field reset boolean? resets the connection at the cut
---@field slow number? bytes of the body a second
---@field length integer? added to the true Content-Length
---@field broken boolean? cuts the JSON off in the middle
---@field status integer? of a response that replaces the true one
---@field headers table<string, string|number|table>? of that response; without one, added to the true response
---@field body string? of that response
---@field detail string? of that response, in JSON as in the API's errors
---@field html boolean? that response is a proxy's page; default status 502
---@field rate_limit integer? that response is the API's 429 with this many seconds
---@field work boolean? the work is done although the response is replaced; default not done
---@field fail (boolean|string)? the generation that is created fails, for this reason
---@field hang boolean? the generation that is created never ends

---@param operations table<string, boolean> name -> whether it creates generations
---@return devkit4ai.sandbox.Faults
function M.new(operations)
  return setmetatable({ _operations = operations, _active = {}, _count = 0 }, Faults)
end

function Faults:_problem(given)
  for name, value in pairs(given) do
    local field = FIELDS_BY_NAME[name]
    if not field then return ("unknown field '%s'"):format(tostring(name)) .. KNOWN_FIELDS end
    local problem = field.check(value)
    if problem then return name .. " " .. problem end
  end
  local operation = given.operation
  if operation and self._operations[operation] == nil then
    return ("unknown operation '%s' (known: %s)"):format(operation, sorted_names(self._operations))
  end
  return combination_problem(given, operation and self._operations[operation])
end

-- A random number generator (Park and Miller) that gives the same numbers for the same seed on every machine.
local function random_generator(seed)
  local state = seed % 2147483646 + 1
  local function random()
    state = state * 16807 % 2147483647
    return state / 2147483647
  end
  for _ = 1, 8 do random() end -- the first numbers of similar seeds are similar
  return random
end

--- Sets a fault.
---@param given table its fields
---@return devkit4ai.sandbox.Fault? fault
---@return string? problem
function Faults:add(given)
  local fault = {}
  for name, value in pairs(given) do
    if value ~= json.null then fault[name] = json.to_integers(value) end
  end
  local problem = self:_problem(fault)
  if problem then return nil, problem end
  self._count = self._count + 1
  fault.number = self._count
  self._active[#self._active + 1] = {
    fault = fault, left = fault.times or 1, skip = fault.after or 0,
    has_response = first_two(fault, "response") ~= nil,
    random = fault.chance and random_generator(fault.seed or 1),
  }
  return fault
end

--- The faults that are set, in their order.
---@return devkit4ai.sandbox.Fault[]
function Faults:list()
  local list = {}
  for i, active in ipairs(self._active) do
    local shown = { left = active.left }
    for name, value in pairs(active.fault) do shown[name] = value end
    list[i] = shown
  end
  return list
end

--- Removes all faults.
function Faults:clear()
  self._active = {}
end

-- Whether a fault hits a request that matches it.
local function hits(active)
  if active.skip > 0 then
    active.skip = active.skip - 1
    return false
  end
  return not active.random or active.random() < active.fault.chance
end

-- Takes the first fault that hits. The faults behind it do not count the request.
function Faults:_take(operation, refuse)
  for i, active in ipairs(self._active) do
    local fault = active.fault
    if (fault.refuse or false) == refuse and (not fault.operation or fault.operation == operation) and hits(active) then
      active.left = active.left - 1
      if active.left == 0 then table.remove(self._active, i) end
      return fault, active.has_response
    end
  end
end

--- Takes the fault of a request.
---@param operation string?
---@return devkit4ai.sandbox.Fault?
---@return boolean? has_response whether the fault replaces the service's response
function Faults:take(operation)
  return self:_take(operation, false)
end

--- Takes the fault that refuses a connection.
---@param operation string? that every request to this port has
---@return devkit4ai.sandbox.Fault?
function Faults:take_refusal(operation)
  return (self:_take(operation, true))
end

return M
