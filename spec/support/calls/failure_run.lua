-- Runs every operation under a failure of failure_table.lua, and returns the results: the number of requests at the raw
-- server, and the return values of the call.
local core = require "devkit4ai.core"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local every_call = require "spec.support.calls.every_call"
local raw = require "spec.support.servers.raw"
local table_of = require "spec.support.calls.failure_table"
local wire = require "spec.support.calls.wire"

local unpack = table.unpack or unpack -- luacheck: ignore 113

local M = {}

local PATIENCE = 20 -- seconds; no test depends on it

local ID = "990e8400-e29b-41d4-a716-446655440004"
local IMAGE = { data = wire.image.png .. ("x"):rep(100000), filename = "a.png" }

local function project(client) return client:project(wire.sample.project_id) end
local function key_of(scope, kind) return require("devkit4ai.resources.key").new({ id = ID }, scope, kind) end
local function guest(client)
  local sample = wire.sample
  return project(client):end_user { access_token = sample.access_token, refresh_token = sample.refresh_token }
end

-- The objects for the calls of every_call, created without a request.
local OBJECTS = {
  client = function(client) return client end, user = guest, project = project,
  stripe = function(client) return project(client).stripe end,
  payments = function(client) return guest(client).payments end,
  developer_payments = function(client) return client.payments end,
  gen = function(client) return client:generation(ID) end,
  anonymous = function(client) return client:generation(ID, { anonymous = true }) end,
  developer_key = function(client) return key_of(client, "developer") end,
  key = function(client) return key_of(project(client), "project") end,
}

local OWN_AT = { health = 2, new_key = 2, new_developer_key = 2 } -- after an optional argument

-- The arguments of a call, with the call options in the last table or as the last argument.
local function arguments_of(call, own)
  local args = { unpack(call, 3) }
  local last, given = args[#args], {}
  if type(last) ~= "table" then
    args[OWN_AT[call[2]] or #args + 1] = own
    return args
  end
  for name, value in pairs(last) do given[name] = value end
  given.timeout, given.images = own.timeout, last.images and { IMAGE }
  args[#args] = given
  return args
end

-- Makes the call of an operation with the fewest arguments.
local function make(operation, client, own, url)
  if operation == "get_picture" then
    local gen = client:generation(ID)
    gen.image_url = url .. "/picture.png"
    return gen:bytes(own)
  end
  local call = every_call.calls[operation][1]
  local object = OBJECTS[call[1]](client)
  local value, message, err = object[call[2]](object, unpack(arguments_of(call, own), 1, 3))
  if type(value) == "table" and value.next then return value:next() end
  return value, message, err
end

-- The operation of a request: by method and literal path, else by a path with an id.
local BY_PATH, BY_PATTERN = { ["GET /picture.png"] = "get_picture" }, {}
for name, row in pairs(require("devkit4ai.api.operations").all()) do
  local path = row.path and row.method .. " " .. row.path or ""
  if path:find("{", 1, true) then
    BY_PATTERN["^" .. path:gsub("[%-.]", "%%%0"):gsub("{[%w_]+}", "[^/]+") .. "$"] = name
  else
    BY_PATH[path] = BY_PATH[path] or name
  end
end

local function operation_of(request)
  local path = request.method .. " " .. request.target:match("^[^?]*")
  if BY_PATH[path] then return BY_PATH[path] end
  for pattern, name in pairs(BY_PATTERN) do
    if path:find(pattern) then return name end
  end
end

-- Operation -> number of its requests.
local function count(requests)
  local n = {}
  for _, request in ipairs(requests) do
    local name = operation_of(request) or "/warm"
    n[name] = (n[name] or 0) + 1
  end
  return n
end

local function counts(server)
  return count(server:requests())
end

-- Runs fn; returns the requests that the client made in it, whether they arrived or not: with a short timeout, their arrival
-- depends on the load of the machine.
local function requests_of(fn)
  local compile, prepared = core.request, {}
  core.request = function(request)
    if request.compiled == false then -- otherwise prepared once for every call
      prepared[#prepared + 1] = { method = request.method, target = request.url:match("^%a+://[^/]+(.*)$") }
    end
    return compile(request)
  end
  local ok, why = pcall(fn)
  core.request = compile
  assert(ok, why)
  return prepared
end

local function new(url, failure, operation)
  local options = wire.options(url, { timeout = { idle = failure.limits and failure.limits.idle } })
  options.refresh_token = operation == "refresh_token" and "refresh." .. url or nil -- clients with the same token share a refresh
  return assert(devkit4ai.new(options))
end

local function result_of(value, message, err)
  if value ~= nil then return { kind = "success" } end
  return { kind = err.kind, outcome = err.outcome, status = err.status, attempts = err.attempts,
    operation = err.operation, retry_after = err.retry_after, message = message }
end

local function address_of(failure, server)
  if failure.refused then return "http://127.0.0.1:" .. raw.port_closed() end
  if failure.unknown_name then return "https://slow.test" end -- for the library that failures_spec preloads
  return failure.https and server.url:gsub("^http:", "https:") or server.url
end

-- Closes the clients once the server has a request of each.
local function cancel(clients, server)
  local missing
  local patience = core.now() + PATIENCE
  repeat
    assert(core.now() < patience, "not every request came")
    missing = false
    devkit4ai.update()
    local came = counts(server)
    for operation in pairs(clients) do missing = missing or not came[operation] end
  until not missing
  for _, client in pairs(clients) do client:close() end
end

-- What came, after the server has noted the requests of attempts that ended early. On a busy machine it reads them later.
local function counts_of_all(server, results)
  local patience = core.now() + PATIENCE
  local came, missing
  repeat
    came, missing = counts(server), false
    for name, result in pairs(results) do
      missing = missing or result.outcome == "unknown" and (came[name] or 0) < result.attempts
    end
  until not missing or core.now() > patience
  return came
end

--- Runs all operations under one failure: concurrently, or one after another if they need the same connection.
---@param failure table a row of failure_table.FAILURES
---@param names string[] of operations
---@return table<string, table> results by operation, as failure_table.expected's
function M.run(failure, names)
  local server = raw.start { script = table_of.script(failure), tls = failure.tls }
  local url, own = address_of(failure, server), { timeout = failure.limits and failure.limits.total }
  local clients, tasks, results = {}, {}, {}
  local prepared = requests_of(function()
    for _, name in ipairs(names) do
      local client = new(url, failure, name)
      if failure.warm then assert(client:request { method = "GET", path = "/warm" }) end
      clients[name] = client
      tasks[name] = devkit4ai.spawn(function() return result_of(make(name, client, own, url)) end)
      if failure.warm then results[name] = tasks[name]:join() end
    end
    if failure.cancelled then cancel(clients, server) end
    for _, name in ipairs(names) do
      results[name] = results[name] or tasks[name]:join()
      clients[name]:close()
    end
  end)
  local came = (failure.limits and failure.limits.idle and counts_of_all or counts)(server, results)
  local judged = own.timeout and count(prepared) or came
  for name, result in pairs(results) do
    result.requests = judged[name] or 0
    if own.timeout and not came[name] and result.outcome == "not_sent" then result.outcome = failure.outcome end
  end
  server:stop()
  return results
end

--- The operations that can be run.
function M.knows(operation)
  return operation == "get_picture" or every_call.calls[operation] ~= nil
end

return M
