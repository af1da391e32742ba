--- How the API fares, and which one it is: wire.md 3.1, rows 1 to 5, 53 and 54. The sandbox keeps everything in
--- memory, and says so.
local encoding = require "devkit4ai.sandbox.encoding"
local forms = require "devkit4ai.sandbox.forms"

local VERSION = "1.6.1" -- of the API whose documents the sandbox follows (wire.md D60)

local HEALTH = { -- shared by all answers, which add the time
  status = "healthy", version = VERSION,
  database = { status = "healthy", connection = "memory" },
  file_storage = { status = "healthy", type = "memory", writable = true, accessible = true },
  redis = { status = "healthy", type = "memory", listening = true, subscribers = 0, connection_failed = false },
  system = { lua = _VERSION },
}

-- Answers with a part of the health, as it is now.
local function healthy(form, part)
  local known = part and HEALTH[part] or HEALTH
  return function(state)
    return 200, form, setmetatable({ timestamp = encoding.timestamp(state.clock()) }, { __index = known })
  end
end

local function look(row, name, path, form, part)
  return { "GET", path, row = row, name = name, profile = "none", answer = healthy(form, part) }
end

---@type table[]
return {
  look(1, "get_health", "/api/v1/health", forms.health),
  look(2, "get_health_database", "/api/v1/health/database", forms.database_health, "database"),
  look(3, "get_health_storage", "/api/v1/health/storage", forms.storage_health, "file_storage"),
  look(4, "get_health_redis", "/api/v1/health/redis", forms.redis_health, "redis"),
  look(5, "get_health_detailed", "/api/v1/health/detailed", forms.detailed_health),
  look(54, "get_health_simple", "/health", forms.health),
  { "GET", "/", row = 53, name = "get_root", profile = "none", answer = function()
    return 200, forms.root, { message = "Dev Kit for AI Cloud API", version = VERSION }
  end },
}
