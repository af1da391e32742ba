--- The answers' forms: the keys of each, in the documents' order (wire.md 3.2). A form that the dialect changes is
--- a table by the values of its axis.
local json = require "devkit4ai.sandbox.json"

local M = {}

--- An answer without a body.
M.nothing = { status = 204, body = "" }

--- One page of a list, each item as it is shown; one past the end is empty.
---@generic T
---@param list T[]
---@param number number from 1
---@param size integer
---@param show fun(item: T): table
---@return table[]
function M.page(list, number, size, show)
  local before, records = math.min((number - 1.0) * size, #list), {}
  for i = before + 1, math.min(before + size, #list) do records[#records + 1] = show(list[i]) end
  return records
end

M.root = { "message", "version" }

M.database_health = { "status", "version", "connection", "error", "timestamp" }

M.storage_health = {
  "status", "type", "path", "url_prefix", "url", "writable", "accessible", "url_configured", "key_configured", "error",
  "timestamp",
}

M.redis_health = {
  "status", "type", "listening", "subscribers", "connection_failed", "last_connection_attempt", "error", "timestamp",
}

local PARTS = { -- of a whole health: wire.md D58's file_storage
  { "database", { "status", "connection" } }, { "file_storage", { "status", "type", "writable", "accessible" } },
  { "redis", { "status", "type", "listening", "subscribers", "connection_failed" } },
}

M.health = { "status", PARTS[1], PARTS[2], PARTS[3], "timestamp", "version", "note", "error" }

M.detailed_health = {
  "status", PARTS[1], PARTS[2], PARTS[3], { "system", { "lua" } }, "timestamp", "version",
}

M.provisioning = { "project_id", "api_key", "developer_key" }

M.registration = { -- axis provisioning (wire.md D04)
  both = {
    "id", "email", "full_name", "role", "is_active", "created_at", "project_id", "developer_key", "api_key",
    { "provisioning", M.provisioning }, "access_token", "refresh_token", "token_type",
  },
  nested = {
    "id", "email", "full_name", "role", "is_active", "created_at",
    { "provisioning", M.provisioning }, "access_token", "refresh_token", "token_type",
  },
  flat = {
    "id", "email", "full_name", "role", "is_active", "created_at", "project_id", "developer_key", "api_key",
    "access_token", "refresh_token", "token_type",
  },
}

M.end_user_registration = {
  "id", "email", "full_name", "role", "is_active", "created_at", "project_id",
  "access_token", "refresh_token", "token_type",
}

M.tokens = { "access_token", "refresh_token", "token_type" }

M.access_token = { "access_token", "token_type" } -- axis refresh_rotation, absent

M.user = { "id", "email", "role", "is_active", "created_at" }

M.verified = { "message", "email" } -- wire.md D20

M.developer_key = { "id", "name", "key_prefix", "is_active", "last_used_at", "created_at" }

M.created_developer_key = { "id", "name", "key", "key_prefix", "is_active", "created_at" }

M.created_project = { -- axis project_create_body (wire.md D27)
  full = { "id", "name", "description", "owner_id", "is_active", "created_at", "updated_at" },
  id = { "id" },
}

M.project = { "id", "name", "description", "is_active", "created_at", "updated_at" }

local COUNT = { "total", "active" }

M.project_stats = { { "users", COUNT }, { "api_keys", COUNT } }

M.global_stats = { { "projects", COUNT }, { "users", COUNT }, { "api_keys", COUNT } }

M.project_user = { "id", "email", "full_name", "is_active", "created_at", "joined_at" }

M.project_users = { { "users", M.project_user, list = true }, "total", "page", "page_size" }

M.user_of_any = {
  "id", "email", "full_name", "is_active", "created_at", "joined_at", "project_id", "project_name",
}

M.users = { { "users", M.user_of_any, list = true }, "total", "page", "page_size" }

M.created_api_key = {
  "id", "key", "key_prefix", "name", "project_id", "is_active", "last_used_at", "created_at",
}

M.api_key = { "id", "name", "key_prefix", "is_active", "last_used_at", "created_at" }

-- Axis list_envelope (wire.md D30): a list of a form, under its name.
M.lists = {
  array = function(form, records) return json.list(form, records) end,
  named = function(form, records, name)
    return json.object({ { name, form, list = true } }, { [name] = records })
  end,
  items = function(form, records)
    return json.object({ { "items", form, list = true }, "total", "has_more" },
      { items = records, total = #records, has_more = false })
  end,
}

M.created_generation = { "id", "status", "message" }

M.created_anonymous_generation = { "id", "message" } -- wire.md D39: the guide has no such call, so the OpenAPI file's

-- Axis generation_status_body (wire.md D40): a generation under way or done, and one that failed.
M.generation = {
  result_image_url = {
    fine = { "id", "status", "instructions", "result_image_url", "is_public", "created_at", "updated_at" },
    failed = {
      "id", "status", "instructions", "result_image_url", "is_public", "created_at", "updated_at", "error",
    },
  },
  generated_image_url = {
    fine = { "id", "status", "generated_image_url" }, failed = { "id", "status", "generated_image_url" },
  },
  result = {
    fine = { "id", "status", { "result", { "image_url" } }, "error" },
    failed = { "id", "status", { "result", { "image_url" } }, "error" },
  },
}

M.listed_generation = { -- wire.md D41
  "id", "instructions", "status", "generated_image_url", "is_public", "created_at", "updated_at", "example_images",
}

M.generations = { { "generations", M.listed_generation, list = true }, "total", "page", "per_page" }

M.visibility = { "id", "is_public", "message" } -- wire.md D44

M.message = { "message" }

return M
