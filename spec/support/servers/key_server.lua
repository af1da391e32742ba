-- A raw server with a model of API keys: it rejects a revoked key, and a developer key can't revoke itself.
-- Each of the three steps of a rotation can fail.
local cjson = require "cjson"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local M = {}

-- faults: by step (list, create, revoke), one for each arrival, the last one for all others: "ok"; a status; "lost", "cut":
-- the connection, before or after the work; "hang": no response. A 401 or 403 comes before any other check.
local SCRIPT = [[
  local memory = require("cjson").decode(%q)
  local STEPS = { GET = "list", POST = "create", DELETE = "revoke" }
  local arrivals = { list = 0, create = 0, revoke = 0 }

  local function find(field, value)
    for _, key in ipairs(memory.keys) do
      if key[field] == value then return key end
    end
  end

  local function is_good(request, header, kind)
    local key = find("key", request.head:match("\n" .. header .. ": ([^\r]*)"))
    return key and key.is_active and key.kind == kind
  end

  local function add(kind)
    local n = #memory.keys + 1
    local key = { id = ("%%08d-0000-4000-8000-000000000000"):format(n), kind = kind, is_active = true,
      key = memory.new_key or ("n%%d_made12-%%s"):format(n, ("x"):rep(24)) }
    key.key_prefix = key.key:sub(1, 8)
    memory.keys[n] = key
    return key
  end

  local WORK = {}

  function WORK.list(kind)
    local list = setmetatable({}, require("cjson").array_mt)
    for _, key in ipairs(memory.keys) do
      if key.kind == kind then
        list[#list + 1] = { id = key.id, key_prefix = key.key_prefix, is_active = key.is_active }
      end
    end
    return 200, list
  end

  function WORK.create(kind)
    local key = add(kind)
    return 201, { id = key.id, key = key.key, key_prefix = key.key_prefix, is_active = true }
  end

  function WORK.revoke(kind, request)
    local key = find("id", request.target:match "[^/]*$")
    if not key then return 404, { detail = "key not found" } end
    if kind == "developer" and request.head:find("X-Developer-Key: " .. key.key .. "\r", 1, true) then
      return 403, { detail = "Cannot revoke the developer key currently being used for authentication" }
    end
    if not key.is_active then
      return kind == "developer" and 400 or 404, { detail = "already revoked" }
    end
    key.is_active = false
    return 204, ""
  end

  local function fault_of(step)
    local list = memory.faults[step] or { "ok" }
    arrivals[step] = arrivals[step] + 1
    return list[math.min(arrivals[step], #list)]
  end

  -- false: the connection has ended
  local function answer(conn, request)
    local kind = request.target:find "developer%%-keys" and "developer"
      or request.target:find "api%%-keys" and "project"
    local step = STEPS[request.method]
    if request.target == "/state" then return conn:respond(200, memory.keys) end
    if request.target:find "refresh$" then return conn:respond(200, { access_token = "another.access.token" }) end
    local fault = kind and fault_of(step) or "ok"
    if tonumber(fault) then
      return conn:respond(tonumber(fault), { detail = "no", retry_after = fault == "429" and 3600 or nil })
    end
    if fault == "lost" then conn:reset() return false end
    if fault == "hang" then conn:sleep(1000) return false end
    if not is_good(request, "X%%-Developer%%-Key", "developer") then
      return conn:respond(403, { detail = "Invalid or revoked developer key" })
    end
    if not kind then
      local good = not request.head:find "X%%-API%%-Key" or is_good(request, "X%%-API%%-Key", "project")
      local id = request.target:match "projects/([%%x-]+)$" or "990e8400-e29b-41d4-a716-446655440004"
      return conn:respond(good and 200 or 403, { id = id, status = "pending" })
    end
    local status, body = WORK[step](kind, request)
    if fault == "cut" then conn:reset() return false end
    return conn:respond(status, body)
  end

  return function(conn)
    local request = conn:read_request()
    while request and answer(conn, request) do request = conn:read_request() end
  end
]]

---@class spec.KeyServer
local Server = {}
Server.__index = Server

--- A client of the server, with its initial keys.
---@param more table? options
---@return devkit4ai.Client
function Server:client(more)
  return assert(devkit4ai.new(wire.options(self.url, more)))
end

--- The keys of the server: true if valid.
---@return table<string, boolean>
function Server:keys()
  local client, keys = self:client(), {}
  for _, key in ipairs(assert(client:request { method = "GET", path = "/state" }).json) do
    keys[key.key] = key.is_active
  end
  client:close()
  return keys
end

--- The number of requests of each rotation step: { list, create, revoke }.
function Server:steps()
  local n, places = { 0, 0, 0 }, { GET = 1, POST = 2, DELETE = 3 }
  for _, request in ipairs(self.raw:requests()) do
    local place = request.target:find "%-keys" and places[request.method]
    if place then n[place] = n[place] + 1 end
  end
  return n
end

--- A header of the last request, without those of Server:keys.
function Server:last(header)
  local requests = self.raw:requests()
  for i = #requests, 1, -1 do
    if requests[i].target ~= "/state" then return wire.header(requests[i], header) end
  end
end

function Server:stop()
  self.raw:stop()
end

local function id(n) return ("%08d-0000-4000-8000-000000000000"):format(n) end

--- Starts a server with the developer key and the project key of wire.sample.
---@param options table? faults: by step, a list; keys: more of them, { kind, key, key_prefix, is_active } each; prefix: of the sample's keys, a function of the key; new_key: text
---@return spec.KeyServer
function M.start(options)
  options = options or {}
  local prefix = options.prefix or function(key) return key:sub(1, 8) end
  local keys = {}
  for i, kind in ipairs { "developer", "project" } do
    local key = wire.sample[kind .. "_key"]
    keys[i] = { id = id(i), kind = kind, key = key, key_prefix = prefix(key), is_active = true }
  end
  for _, key in ipairs(options.keys or {}) do
    keys[#keys + 1] = key
    key.id = id(#keys)
  end
  local memory = { keys = keys, faults = options.faults or {}, new_key = options.new_key }
  if not next(memory.faults) then memory.faults.list = { "ok" } end -- an empty table would be encoded as a list
  local server = raw.start { script = SCRIPT:format(cjson.encode(memory)) }
  return setmetatable({ raw = server, url = server.url }, Server)
end

return M
