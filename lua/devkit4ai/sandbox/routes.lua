--- The operations, read from CONTRACT 3.1: each names its row. What differs between them is a column; the way a
--- request takes through the columns is in app.lua.
---
--- profile    who may come in (gates.lua)          forbidden  the error for a token that may not (default E05)
--- fields     what the JSON body holds             upload     the name of the parts that are images
--- owned      the path's project must be the caller's
--- answer     state, request -> status, form, record, and true where the record is a list; or a refusal alone
local errors = require "devkit4ai.sandbox.errors"
local fields = require "devkit4ai.sandbox.fields"
local forms = require "devkit4ai.sandbox.forms"
local encoding = require "devkit4ai.sandbox.encoding"

-- A record with more members; the record itself stays as it is.
local function with(record, more)
  return setmetatable(more, { __index = record })
end

local function new_tokens(state, user)
  return {
    access_token = state.tokens:issue("access", user), refresh_token = state.tokens:issue("refresh", user),
    token_type = "bearer",
  }
end

local function register(state, request)
  if request.role == "developer" then
    local user, provisioning = state:register_developer(request.values)
    if not user then return errors.of("E19") end
    return 201, forms.registration, with(user, {
      provisioning = provisioning, project_id = provisioning.project_id,
      developer_key = provisioning.developer_key, api_key = provisioning.api_key,
    })
  end
  local user = state.accounts:register("end_user", request.values, request.project.id)
  if not user then return errors.of("E19") end
  return 201, forms.end_user_registration, with(user, new_tokens(state, user)) -- D18: tokens for end users alone
end

local function login(state, request)
  local user = state.accounts:login(request.values.email, request.values.password, request.project_id)
  if not user then return errors.of("E12") end
  return 200, forms.tokens, new_tokens(state, user)
end

local function refresh(state, request)
  local sent = request.values.refresh_token
  local user_id = state.tokens:check("refresh", sent)
  local user = user_id and state.accounts:get(user_id)
  if not user then return errors.of("E01") end
  return 200, forms.tokens, { -- refresh_rotation: reuse
    access_token = state.tokens:issue("access", user), refresh_token = sent, token_type = "bearer",
  }
end

local function create_project(state, request)
  local limit = state.settings.project_limit
  if limit and #state.projects:of(request.user.id) >= limit then return errors.of("E36") end
  return 201, forms.created_project, state.projects:create(request.user.id, request.values)
end

local function create_api_key(state, request)
  local key, text = state.keys:issue("project",
    { owner_id = request.user.id, project_id = request.project.id, name = request.values.name })
  return 201, forms.created_api_key, with(key, { key = text })
end

local function create_generation(state, request)
  local limit = state.settings.generation_limit
  if limit and state.generations:running(request.user.id) >= limit then return errors.generation_limited() end
  local generation = state.generations:create(request.user, request.project.id, request.submission)
  return 200, forms.created_generation,
    { id = generation.id, status = "pending", message = "Generation request submitted successfully" }
end

local function generation_status(state, request)
  local generation = state.generations:of(request.user.id, request.project.id, request.parameters.generation_id)
  if not generation then return errors.of("generation_missing") end
  local status, since = state.generations:state(generation)
  return 200, status == "failed" and forms.failed_generation or forms.generation, {
    id = generation.id, status = status, instructions = generation.instructions, is_public = false,
    result_image_url = status == "completed" and state.storage:link(generation) or nil,
    error = generation.failure, created_at = encoding.timestamp(generation.created),
    updated_at = since and encoding.timestamp(since),
  }
end

local EMAIL = { "email", required = true, check = fields.email, finding = "E17" }

---@type table[]
return {
  { "POST", "/api/v1/auth/register", row = 6, profile = "register", answer = register, fields = {
    EMAIL,
    { "password", required = true, check = fields.password, finding = "E18" },
    { "full_name" },
  } },
  { "POST", "/api/v1/auth/login", row = 7, profile = "login", answer = login,
    fields = { EMAIL, { "password", required = true } } },
  { "GET", "/api/v1/auth/me", row = 8, profile = "bearer",
    answer = function(_, request) return 200, forms.user, request.user end },
  { "POST", "/api/v1/auth/refresh", row = 9, profile = "none", answer = refresh,
    fields = { { "refresh_token", required = true } } },
  { "GET", "/api/v1/projects/", row = 15, profile = "dev",
    answer = function(state, request) return 200, forms.project, state.projects:of(request.user.id), true end },
  { "POST", "/api/v1/projects/", row = 16, profile = "dev", forbidden = "E07", answer = create_project, fields = {
    { "name", required = true, min = 3, max = 100 }, -- D29: the limits of E34 and E35
    { "description", max = 500 },
  } },
  { "GET", "/api/v1/projects/{project_id}", row = 19, profile = "dev", owned = true,
    answer = function(_, request) return 200, forms.project, request.project end },
  { "POST", "/api/v1/projects/{project_id}/api-keys", row = 23, profile = "dev", owned = true,
    answer = create_api_key, fields = { { "name", max = 255 } } },
  { "GET", "/api/v1/projects/{project_id}/api-keys", row = 24, profile = "dev", owned = true,
    answer = function(state, request) return 200, forms.api_key, state.keys:of_project(request.project.id), true end },
  { "POST", "/api/v1/generation/generate-v2", row = 27, profile = "end", forbidden = "E08",
    upload = "example_images", answer = create_generation },
  { "GET", "/api/v1/generation/generations-v2/{generation_id}/status", row = 28, profile = "end",
    answer = generation_status },
}
