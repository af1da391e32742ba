--- Health operations (wire.md 3.1, rows 1 to 5, 53 and 54).
local roles = require "devkit4ai.api.operations.roles"

local function health_check(path)
  return {
    method = "GET", path = path, profile = roles.anyone, response = "health",
    retry_class = "safe", call_name = "client:health",
  }
end

return {
  get_health = health_check "/api/v1/health", -- row 1
  get_health_database = health_check "/api/v1/health/database", -- row 2
  get_health_storage = health_check "/api/v1/health/storage", -- row 3
  get_health_redis = health_check "/api/v1/health/redis", -- row 4
  get_health_detailed = health_check "/api/v1/health/detailed", -- row 5
  get_health_simple = health_check "/health", -- row 54; for old callers
  get_root = { -- row 53; the name and version of the API; only client:request sends it
    method = "GET", path = "/", profile = roles.anyone, response = "record",
    retry_class = "safe", call_name = "client:request",
  },
}
