--- The answers' forms: the keys of each, in the documents' order. These are the seed's forms (CONTRACT 3.2,
--- "Seed forms", and the column seed of 6.2); a form that a dialect changes gets its other versions here.
local M = {}

M.provisioning = { "project_id", "api_key", "developer_key" }

M.registration = { -- nested and flat copies of the three (D04)
  "id", "email", "full_name", "role", "is_active", "created_at", "project_id", "developer_key", "api_key",
  { "provisioning", M.provisioning }, "access_token", "refresh_token", "token_type",
}

M.end_user_registration = {
  "id", "email", "full_name", "role", "is_active", "created_at", "project_id",
  "access_token", "refresh_token", "token_type",
}

M.tokens = { "access_token", "refresh_token", "token_type" }

M.user = { "id", "email", "role", "is_active", "created_at" }

M.created_project = { "id", "name", "description", "owner_id", "is_active", "created_at", "updated_at" }

M.project = { "id", "name", "description", "is_active", "created_at", "updated_at" }

M.created_api_key = {
  "id", "key", "key_prefix", "name", "project_id", "is_active", "last_used_at", "created_at",
}

M.api_key = { "id", "name", "key_prefix", "is_active", "last_used_at", "created_at" }

M.created_generation = { "id", "status", "message" }

M.generation = { "id", "status", "instructions", "result_image_url", "is_public", "created_at", "updated_at" }

M.failed_generation = {
  "id", "status", "instructions", "result_image_url", "is_public", "created_at", "updated_at", "error",
}

return M
