-- Puts every operation of the client under a failure of failure_table.lua, and gives what came of it: the requests are counted
-- at the raw server, all else is what the call returned.
local core = require "devkit4ai.core"
local devkit4ai = require "spec.support.quick"
local raw = require "spec.support.raw"
local table_of = require "spec.support.failure_table"
local wire = require "spec.support.wire"

local M = {}

local PATIENCE = 20 -- seconds; nothing is judged by it

local PROJECT, GENERATION = wire.sample.project_id, "990e8400-e29b-41d4-a716-446655440004"
local IMAGE = { data = wire.image.png .. ("x"):rep(100000), filename = "a.png" }

-- operation -> the call that makes it, with its own options, at a server's address
local CALLS = {
  register = function(client, own)
    return client:register { email = "dev@example.com", password = "SecurePass123", timeout = own.timeout }
  end,
  login = function(client, own) return client:login("dev@example.com", "SecurePass123", own) end,
  get_me = function(client, own) return client:me(own) end,
  refresh_token = function(client, own) return client:refresh_token(own) end,
  list_projects = function(client, own) return client:projects(own) end,
  create_project = function(client, own) return client:new_project { name = "neon", timeout = own.timeout } end,
  create_api_key = function(client, own) return client:project(PROJECT):new_key("neon", own) end,
  list_api_keys = function(client, own) return client:project(PROJECT):keys(own) end,
  create_generation = function(client, own)
    return client:project(PROJECT):generate { images = { IMAGE }, prompt = "neon", timeout = own.timeout }
  end,
  get_generation_status = function(client, own) return client:generation(GENERATION):refresh(own) end,
  list_generations = function(client, own) return client:generations(own):page(1) end,
  list_public_generations = function(client, own) return client:public_generations(own):page(1) end,
  get_picture = function(client, own, url)
    local gen = client:generation(GENERATION)
    gen.image_url = url .. "/picture.png"
    return gen:bytes(own)
  end,
}

-- operation -> method and path of its requests at the server; for get_picture, the address above
local SENDS = { get_picture = { "GET", "^/picture%.png$" } }
for name, row in pairs(require("devkit4ai.operations").all()) do
  local path = row.path and row.path:gsub("[%-.]", "%%%0"):gsub("{[%w_]+}", "[^/?]+")
  if path then SENDS[name] = { row.method, "^" .. path .. "$" } end
end

local function count(server, operation)
  local sends, n = SENDS[operation], 0
  for _, request in ipairs(server:requests()) do
    if request.method == sends[1] and request.target:match("^[^?]*"):find(sends[2]) then n = n + 1 end
  end
  return n
end

local function new(url, failure, operation)
  local options = wire.options(url, { timeout = { idle = failure.limits and failure.limits.idle } })
  options.refresh_token = operation == "refresh_token" and "refresh." .. url or nil -- clients that share one share a refresh
  return assert(devkit4ai.new(options))
end

local function result_of(value, message, err)
  if value ~= nil then return { kind = "none: it succeeded" } end
  return { kind = err.kind, outcome = err.outcome, status = err.status, attempts = err.attempts,
    operation = err.operation, retry_after = err.retry_after, message = message }
end

local function address_of(failure, server)
  if failure.refused then return "http://127.0.0.1:" .. raw.port_closed() end
  if failure.unknown_name then return "https://slow.test" end -- for the library that failures_spec preloads
  return failure.https and server.url:gsub("^http:", "https:") or server.url
end

-- Ends the clients once the server has seen a request of each.
local function cancel(clients, server)
  local missing
  local patience = core.now() + PATIENCE
  repeat
    assert(core.now() < patience, "not every request came")
    missing = false
    devkit4ai.update()
    for operation in pairs(clients) do missing = missing or count(server, operation) == 0 end
  until not missing
  for _, client in pairs(clients) do client:close() end
end

--- Runs all operations under one failure: beside each other, and one after another where a connection has to be kept.
---@param failure table a row of failure_table.FAILURES
---@param names string[] of operations
---@return table<string, table> results by operation, as failure_table.expected's
function M.run(failure, names)
  local server = raw.start { script = table_of.script(failure), tls = failure.tls }
  local url, own = address_of(failure, server), { timeout = failure.limits and failure.limits.total }
  local clients, tasks, results = {}, {}, {}
  for _, name in ipairs(names) do
    local client = new(url, failure, name)
    if failure.warm then assert(client:request { method = "GET", path = "/warm" }) end
    clients[name] = client
    tasks[name] = devkit4ai.spawn(function() return result_of(CALLS[name](client, own, url)) end)
    if failure.warm then results[name] = tasks[name]:join() end
  end
  if failure.cancelled then cancel(clients, server) end
  for _, name in ipairs(names) do
    results[name] = results[name] or tasks[name]:join()
    results[name].requests = count(server, name)
    clients[name]:close()
  end
  server:stop()
  return results
end

--- The operations that can be run.
function M.knows(operation)
  return CALLS[operation] ~= nil
end

return M
