--- What a test asks a sandbox for, and tells it: faults, the clock, the journal, the generations made, the mails. One list of
--- commands behind two doors: /_sandbox/ on the API's port, and the control line (control.lua).
local json = require "devkit4ai.sandbox.util.json"
local delivery = require "devkit4ai.sandbox.http.response_writer"
local encoding = require "devkit4ai.sandbox.util.encoding"
local origins = require "devkit4ai.sandbox.http.cors"

local M = {}
local Desk = {}
Desk.__index = Desk

local ROOT = "/_sandbox/"
local BODY_LIMIT = 1024 * 1024 -- bytes

-- In this order the members of an answer stand, whatever object they are of; others follow by name.
local ORDER = {
  "n", "number", "id", "user_id", "email", "verification_token", "time", "now", "text", "frozen", "operation",
  "method", "path", "what", "query", "headers",
  "name", "filename", "body_bytes", "body", "parts", "status", "bytes", "sha256", "seconds", "fault", "generation_id",
  "count", "times", "left",
}

-- name -> what it does with what was asked: a record, or nil and what is wrong
local COMMANDS = {}

function COMMANDS.index()
  local list = {}
  for i, door in ipairs(M.doors) do list[i] = { method = door[1], path = ROOT .. door[2], what = door.what } end
  return { paths = list }
end

function COMMANDS.fault(state, asked)
  local complaint = asked.reset == true and delivery.cannot_reset()
  if complaint then return nil, complaint end
  return state.faults:add(asked)
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

local CLOCK = { -- field -> what it must be, and whether a value is that
  advance = { "a number of seconds from 0 to 1000000000", function(value)
    return type(value) == "number" and value >= 0 and value <= 1e9
  end },
  frozen = { "true or false", function(value) return type(value) == "boolean" end },
}

function COMMANDS.clock(state, asked)
  for name, value in pairs(asked) do
    local field = CLOCK[name]
    if not field then return nil, ("unknown field '%s' (known: advance, frozen)"):format(tostring(name)) end
    if not field[2](value) then return nil, name .. " must be " .. field[1] end
  end
  local clock = state.clock
  if asked.frozen ~= nil then clock:freeze(asked.frozen) end
  if asked.advance then clock:advance(asked.advance) end
  local now = clock()
  return { now = math.floor(now * 1000) / 1000, text = encoding.timestamp(now), frozen = clock:frozen() }
end

function COMMANDS.generations(state)
  local list = {}
  for i, generation in ipairs(state.generations.made) do
    list[i] = {
      id = generation.id, time = math.floor(generation.created * 1000) / 1000,
      status = state.generations:state(generation), instructions = generation.instructions,
    }
  end
  return { count = #list, generations = json.array(list) }
end

function COMMANDS.mails(state)
  local list = {}
  for i, mail in ipairs(state.mails.sent) do
    list[i] = {
      user_id = mail.user_id, email = mail.email, time = math.floor(mail.sent * 1000) / 1000,
      verification_token = mail.token,
    }
  end
  return { mails = json.array(list) }
end

-- method, path under the root, command
M.doors = {
  { "GET", "", command = "index", what = "this list" },
  { "GET", "faults", command = "faults", what = "the faults that are set" },
  { "POST", "faults", command = "fault", what = "sets a fault" },
  { "DELETE", "faults", command = "clear_faults", what = "takes all faults away" },
  { "GET", "requests", command = "requests", what = "the last 1,000 exchanges, secrets masked" },
  { "DELETE", "requests", command = "clear_requests", what = "forgets the exchanges" },
  { "GET", "clock", command = "clock", what = "the sandbox's time" },
  { "POST", "clock", command = "clock", what = "moves the clock (advance), stops it and lets it go on (frozen)" },
  { "GET", "generations", command = "generations", what = "the generations really made, deleted ones too" },
  { "GET", "mails", command = "mails", what = "the mails with verification tokens" },
}

local TAKES_FIELDS = { fault = true, clock = true } -- each of these says itself which fields it knows

--- Does what a command says.
---@param state table
---@param name any
---@param asked table
---@return string? json the answer; nil: there is no such command
---@return boolean? ok false: the answer is an error
function M.run(state, name, asked)
  local command = COMMANDS[name]
  if not command then return nil end
  local record, complaint
  if next(asked) ~= nil and not TAKES_FIELDS[name] then
    complaint = ("%s takes no fields; '%s' was given"):format(name, tostring(next(asked)))
  else
    record, complaint = command(state, asked)
  end
  return json.write(record or { error = complaint }, ORDER), record ~= nil
end

--- The desk as it stands at the API's port.
---@param state table
function M.new(state)
  return setmetatable({ state = state }, Desk)
end

local function answer(status, text, headers)
  return { status = status, body = text .. "\n", headers = headers } -- the line ends, for a person at a terminal
end

local function refuse(status, why, headers)
  return answer(status, json.object({ "error" }, { error = why }), headers)
end

-- Programs of this machine alone: the peer; and of no web page, which reaches us under a name of its own (Host) or sends
-- from another place (Origin).
local function is_trusted(request)
  local peer, origin = request.peer, request.headers.origin
  return peer and (peer:find("^127%.") or peer == "::1")
    and origins.is_loopback(request.headers.host or "")
    and (not origin or origins.is_loopback(origin:match("^http://(.*)$") or ""))
end

local function find(method, path)
  local allow = {}
  for _, door in ipairs(M.doors) do
    if door[2] == path then
      if door[1] == method then return door end
      allow[#allow + 1] = door[1]
    end
  end
  return nil, allow
end

local function read(request)
  local body, status, reason = request:body(BODY_LIMIT)
  if not body then return nil, refuse(status, reason) end
  local value = json.decode(body)
  if not json.is_object(value, body) then return nil, refuse(400, "the body must be a JSON object") end
  return value
end

--- Answers what is for the desk; nil for all else.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Answer?
function Desk:answer(request)
  if request.path:sub(1, #ROOT) ~= ROOT then return nil end
  if not is_trusted(request) then
    return refuse(403, "for programs of this machine alone: no page of another site, and a Host header that names "
      .. "127.0.0.1, localhost or [::1]")
  end
  local door, allow = find(request.method, request.path:sub(#ROOT + 1))
  if not door then
    if #allow == 0 then return refuse(404, "nothing is here: GET " .. ROOT .. " lists what there is") end
    return refuse(405, "Method Not Allowed", { "Allow: " .. table.concat(allow, ", ") })
  end
  if request.query ~= "" then
    return refuse(400, ("%s %s takes no parameters in its address; '%s' was given"):format(request.method, request.path,
      request.query))
  end
  local asked, refusal = {}, nil
  if door[1] == "POST" then asked, refusal = read(request)
  elseif request.unread then refusal = refuse(400, ("%s %s takes no body"):format(request.method, request.path)) end
  if refusal then return refusal end
  local text, ok = M.run(self.state, door.command, asked)
  return answer(ok and 200 or 400, text)
end

return M
