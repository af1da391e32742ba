--- What goes wrong on purpose: the faults that a test has set, and which exchange gets which. What a fault does to an
--- answer is in exchange.lua, what it does on the wire in delivery.lua.
local json = require "devkit4ai.sandbox.util.json"

local M = {}
local Faults = {}
Faults.__index = Faults

local CUTS = { before = true, during = true, after = true }

local function boolean(value)
  if type(value) ~= "boolean" then return "must be true or false" end
end

local function text(value)
  if type(value) ~= "string" then return "must be a string" end
end

local function number(min, max, whole)
  return function(value)
    if type(value) == "number" and value >= min and value <= max and (not whole or value % 1 == 0) then return nil end
    return ("must be a %s from %.14g to %.14g"):format(whole and "whole number" or "number", min, max)
  end
end

local function is_line(value)
  return (type(value) == "string" or type(value) == "number") and not tostring(value):find("[%c\127]")
end

-- Names with a value each, or with a list of values where the header comes several times.
local function headers(value)
  if type(value) ~= "table" then return "must be an object" end
  for name, given in pairs(value) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+%-.^_`|~]+$") then
      return ("has no header of the name '%s'"):format(tostring(name))
    end
    if name:lower() == "content-length" then return "can't hold Content-Length: the field length changes it" end
    local lines = type(given) == "table" and given or { given }
    if lines[1] == nil then return ("must have texts of one line: '%s' has none"):format(name) end
    for _, line in ipairs(lines) do
      if not is_line(line) then return ("must have texts of one line: '%s' has none"):format(name) end
    end
  end
  if next(value) == nil then return "must have a name" end
end

-- The fields of a fault. check: what is wrong with a value; acts: it is a fault, not a condition or a detail of one;
-- answers: with an answer of its own in place of the service's; alone: those exclude each other.
local ROWS = {
  { "operation", check = text },
  { "times", check = number(1, 1e9, true) }, { "after", check = number(0, 1e9, true) },
  { "chance", check = number(0, 1) }, { "seed", check = number(0, 2 ^ 31, true) },
  { "refuse", check = boolean, acts = true },
  { "delay", check = number(0, 86400), acts = true },
  { "cut", acts = true, check = function(value)
    if not CUTS[value] then return "must be 'before', 'during' or 'after'" end
  end },
  { "reset", check = boolean },
  { "slow", check = number(0.1, 1e9), acts = true },
  { "length", check = number(-1e9, 1e9, true), acts = true },
  { "broken", check = boolean, acts = true },
  { "headers", check = headers, acts = true },
  { "status", check = number(200, 599, true), acts = true, answers = true },
  { "body", check = text, acts = true, answers = true, alone = true },
  { "detail", check = text, acts = true, answers = true, alone = true },
  { "html", check = boolean, acts = true, answers = true, alone = true },
  { "rate_limit", check = number(0, 1e9, true), acts = true, answers = true, alone = true },
  { "work", check = boolean },
  { "fail", acts = true, check = function(value) return value ~= true and text(value) or nil end },
  { "hang", check = boolean, acts = true },
}

local FIELDS, NAMES = {}, {}
for i, row in ipairs(ROWS) do
  FIELDS[row[1]], NAMES[i] = row, row[1]
end

local function names_of(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

-- The first field of a kind that is given, and the second.
local function first(given, kind)
  local found
  for _, row in ipairs(ROWS) do
    if row[kind] and given[row[1]] then
      if found then return found, row[1] end
      found = row[1]
    end
  end
  return found
end

-- What does not go together, or nil.
local function contradiction(given, makes)
  if not first(given, "acts") then
    return "a fault must do something: none of the fields that do is given (known: " .. table.concat(NAMES, ", ") .. ")"
  end
  if given.refuse then
    for _, row in ipairs(ROWS) do
      if row.acts and given[row[1]] and row[1] ~= "refuse" then return "refuse excludes " .. row[1] end
    end
    if given.operation and given.operation ~= "picture" then
      return "refuse knows no operation but picture: a connection is refused before anyone can tell what it is for"
    end
  end
  if given.reset and not given.cut then return "reset needs cut" end
  if given.work and not first(given, "answers") then return "work needs an answer of the fault's own, as status" end
  local one, other = first(given, "alone")
  if other then return one .. " excludes " .. other end
  if (given.fail or given.hang) and not makes then return "fail and hang need an operation that makes a generation" end
end

---@class devkit4ai.sandbox.Fault what goes wrong on purpose; docs/sandbox.md says what excludes what
---@field number integer? of a fault that was set
---@field left integer? exchanges that it will still hit; of a list of faults
---@field operation string? which exchanges: an operation's name, or "picture"; default any
---@field times integer? how many exchanges; default 1
---@field after integer? lets so many that fit go by first
---@field chance number? hits with this chance, 0 to 1
---@field seed integer? the same seed hits the same ones again; default 1
---@field refuse boolean? the connection is reset before the request is read
---@field delay number? seconds of real time between the work and the answer
---@field cut string? the connection ends: "before" the work, "during" the answer, or "after" the work without an answer
---@field reset boolean? the cut is a reset instead of an end
---@field slow number? bytes of the body a second
---@field length integer? what the Content-Length is wrong by
---@field broken boolean? the JSON breaks off in the middle
---@field status integer? an answer of the fault's own
---@field headers table<string, string|number|table>? of that answer; by themselves: on top of the true one
---@field body string? of that answer
---@field detail string? of that answer, in JSON as the API's errors have it
---@field html boolean? a proxy's page; with status 502 unless it is given
---@field rate_limit integer? a 429 as the API says it, with so many seconds
---@field work boolean? an answer of the fault's own after the work was done; default not done
---@field fail (boolean|string)? the generation that is made fails, for this reason
---@field hang boolean? the generation that is made never ends

--- The faults over a list of operations.
---@param operations table<string, boolean> name -> whether it makes generations
function M.new(operations)
  return setmetatable({ operations = operations, set = {}, count = 0 }, Faults)
end

--- What is wrong with a fault as it was given, or nil.
---@param given table
---@return string?
function Faults:complaint(given)
  for name, value in pairs(given) do
    local row = FIELDS[name]
    if not row then
      return ("unknown field '%s' (known: %s)"):format(tostring(name), table.concat(NAMES, ", "))
    end
    local complaint = row.check(value)
    if complaint then return name .. " " .. complaint end
  end
  local operation = given.operation
  if operation and self.operations[operation] == nil then
    return ("unknown operation '%s' (known: %s)"):format(operation, names_of(self.operations))
  end
  return contradiction(given, operation and self.operations[operation])
end

-- A generator of Park and Miller: the same numbers for the same seed on every machine.
local function dice(seed)
  local state = seed % 2147483646 + 1
  local function throw()
    state = state * 16807 % 2147483647
    return state / 2147483647
  end
  for _ = 1, 8 do throw() end -- seeds that lie close together begin alike
  return throw
end

-- JSON's numbers may have come as 503.0.
local function plain(value)
  if type(value) == "number" and value % 1 == 0 then return math.floor(value) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = plain(item) end
  return copy
end

--- Sets a fault.
---@param given table its fields
---@return devkit4ai.sandbox.Fault?
---@return string? complaint
function Faults:add(given)
  local fault = {}
  for name, value in pairs(given) do
    if value ~= json.null then fault[name] = plain(value) end
  end
  local complaint = self:complaint(fault)
  if complaint then return nil, complaint end
  self.count = self.count + 1
  fault.number = self.count
  self.set[#self.set + 1] = {
    fault = fault, left = fault.times or 1, skip = fault.after or 0, answers = first(fault, "answers") ~= nil,
    throw = fault.chance and dice(fault.seed or 1),
  }
  return fault
end

--- Those that are set, in their order, each with `left`: how many times more.
---@return table[]
function Faults:list()
  local list = {}
  for i, entry in ipairs(self.set) do
    local shown = { left = entry.left }
    for name, value in pairs(entry.fault) do shown[name] = value end
    list[i] = shown
  end
  return list
end

--- Takes all faults away.
function Faults:clear()
  self.set = {}
end

-- Whether a fault acts on what it fits, which it counts.
local function fires(entry)
  if entry.skip > 0 then
    entry.skip = entry.skip - 1
    return false
  end
  return not entry.throw or entry.throw() < entry.fault.chance
end

--- The fault of an exchange, or, where nothing was read yet, of a connection: the first that fits and acts, which is
--- thereby used once. Those behind it don't count this one.
---@param operation string?
---@param connecting boolean
---@return devkit4ai.sandbox.Fault?
---@return boolean? answers whether the fault has an answer of its own
function Faults:pick(operation, connecting)
  for i, entry in ipairs(self.set) do
    local fault = entry.fault
    if (fault.refuse or false) == connecting and (not fault.operation or fault.operation == operation)
      and fires(entry) then
      entry.left = entry.left - 1
      if entry.left == 0 then table.remove(self.set, i) end
      return fault, entry.answers
    end
  end
end

return M
