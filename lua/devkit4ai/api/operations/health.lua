--- How the API fares: wire.md 3.1, rows 1 to 5, 53 and 54.
local roles = require "devkit4ai.api.operations.roles"

local function look(path)
  return {
    method = "GET", path = path, profile = roles.anyone, answer = "health", repeats = "safe", says = "client:health",
  }
end

return {
  get_health = look "/api/v1/health", -- row 1
  get_health_database = look "/api/v1/health/database", -- row 2
  get_health_storage = look "/api/v1/health/storage", -- row 3
  get_health_redis = look "/api/v1/health/redis", -- row 4
  get_health_detailed = look "/api/v1/health/detailed", -- row 5
  get_health_simple = look "/health", -- row 54: kept for old callers
  get_root = { -- row 53: says which API this is; for client:request alone
    method = "GET", path = "/", profile = roles.anyone, answer = "record", repeats = "safe", says = "client:request",
  },
}
