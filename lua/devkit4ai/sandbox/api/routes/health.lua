--- Routes of the API's health, and of its root: wire.md 3.1, rows 1 to 5, 53 and 54.
local encoding = require "devkit4ai.sandbox.util.encoding"
local merge = require "devkit4ai.sandbox.util.merge"
local reply = require "devkit4ai.sandbox.api.reply"
local schemas = require "devkit4ai.sandbox.api.schemas"

local VERSION = "1.6.1" -- of the API in the documents that the sandbox follows (wire.md D60)

local HEALTH = { -- a response adds the time
  status = "healthy", version = VERSION,
  database = { status = "healthy", connection = "memory" },
  file_storage = { status = "healthy", type = "memory", writable = true, accessible = true },
  redis = { status = "healthy", type = "memory", listening = true, subscribers = 0, connection_failed = false },
  system = { lua = _VERSION },
}

local function health_route(row, name, path, schema, health)
  local function handler(state)
    return reply.record(200, schema, merge(health, { timestamp = encoding.timestamp(state.clock.now()) }))
  end
  return { "GET", path, row = row, name = name, profile = "none", handler = handler }
end

local function get_root()
  return reply.record(200, schemas.root, { message = "Dev Kit for AI Cloud API", version = VERSION })
end

---@type devkit4ai.sandbox.Route[]
return {
  health_route(1, "get_health", "/api/v1/health", schemas.health, HEALTH),
  health_route(2, "get_health_database", "/api/v1/health/database", schemas.database_health, HEALTH.database),
  health_route(3, "get_health_storage", "/api/v1/health/storage", schemas.storage_health, HEALTH.file_storage),
  health_route(4, "get_health_redis", "/api/v1/health/redis", schemas.redis_health, HEALTH.redis),
  health_route(5, "get_health_detailed", "/api/v1/health/detailed", schemas.detailed_health, HEALTH),
  health_route(54, "get_health_simple", "/health", schemas.health, HEALTH),
  { "GET", "/", row = 53, name = "get_root", profile = "none", handler = get_root },
}
