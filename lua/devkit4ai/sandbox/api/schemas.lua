--- The JSON schemas of the responses: the keys of each, in the documents' order (wire.md 3.2). Where the dialect
--- decides, a table has one schema for each value of the axis.
local M = {}

M.root = { "message", "version" }

M.database_health = { "status", "version", "connection", "error", "timestamp" }

M.storage_health = {
  "status", "type", "path", "url_prefix", "url", "writable", "accessible", "url_configured", "key_configured", "error",
  "timestamp",
}

M.redis_health = {
  "status", "type", "listening", "subscribers", "connection_failed", "last_connection_attempt", "error", "timestamp",
}

-- wire.md D58: file_storage
local DATABASE, STORAGE = { "database", { "status", "connection" } },
  { "file_storage", { "status", "type", "writable", "accessible" } }
local REDIS = { "redis", { "status", "type", "listening", "subscribers", "connection_failed" } }

M.health = { "status", DATABASE, STORAGE, REDIS, "timestamp", "version", "note", "error" }

M.detailed_health = { "status", DATABASE, STORAGE, REDIS, { "system", { "lua" } }, "timestamp", "version" }

M.provisioning = { "project_id", "api_key", "developer_key" }

M.developer_registration = { -- axis provisioning (wire.md D04)
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

M.verified_email = { "message", "email" } -- wire.md D20

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

local PROJECT_USER = { "id", "email", "full_name", "is_active", "created_at", "joined_at" }

M.project_users = { { "users", PROJECT_USER, list = true }, "total", "page", "page_size" }

local USER_WITH_PROJECT = {
  "id", "email", "full_name", "is_active", "created_at", "joined_at", "project_id", "project_name",
}

M.all_users = { { "users", USER_WITH_PROJECT, list = true }, "total", "page", "page_size" }

M.created_api_key = {
  "id", "key", "key_prefix", "name", "project_id", "is_active", "last_used_at", "created_at",
}

M.api_key = { "id", "name", "key_prefix", "is_active", "last_used_at", "created_at" }

M.created_generation = { "id", "status", "message" }

M.created_anonymous_generation = { "id", "message" } -- wire.md D39: the guide has no such operation; this is the OpenAPI file's

-- Axis generation_status_body (wire.md D40): of a generation that has failed, and of any other.
M.generation_status = {
  result_image_url = {
    other = { "id", "status", "instructions", "result_image_url", "is_public", "created_at", "updated_at" },
    failed = {
      "id", "status", "instructions", "result_image_url", "is_public", "created_at", "updated_at", "error",
    },
  },
  generated_image_url = {
    other = { "id", "status", "generated_image_url" }, failed = { "id", "status", "generated_image_url" },
  },
  result = {
    other = { "id", "status", { "result", { "image_url" } }, "error" },
    failed = { "id", "status", { "result", { "image_url" } }, "error" },
  },
}

local LISTED_GENERATION = { -- wire.md D41
  "id", "instructions", "status", "generated_image_url", "is_public", "created_at", "updated_at", "example_images",
}

M.generations = { { "generations", LISTED_GENERATION, list = true }, "total", "page", "per_page" }

M.visibility = { "id", "is_public", "message" } -- wire.md D44

M.message = { "message" }

return M
