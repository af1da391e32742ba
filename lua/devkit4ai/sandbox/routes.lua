--- The operations, read from CONTRACT 3.1: each names its row. What differs between them is a column; the way a
--- request takes through the columns is in app.lua.
---
--- name       the operation                        profile    who may come in (gates.lua)
--- fields     what the JSON body holds             forbidden  the error for a token that may not (default E05)
--- form       what the form-encoded body holds     query      what the query may hold
--- upload     whose images the body holds          owned      the path's project must be the caller's
--- answer     state, request -> status, form, record, and where the record is a list its name; or a refusal alone
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

local REGISTRARS = {
  developer = function(state, request)
    local user, provisioning = state:register_developer(request.values)
    if not user then return nil end
    return user, forms.registration[state.dialect.provisioning], {
      provisioning = provisioning, project_id = provisioning.project_id,
      developer_key = provisioning.developer_key, api_key = provisioning.api_key,
    }
  end,
  end_user = function(state, request)
    local user = state.accounts:register("end_user", request.values, request.project.id)
    return user, forms.end_user_registration, {}
  end,
}

local TOKENED = { -- axis reg_tokens (D18): roles that get tokens at registration
  end_users = { end_user = true }, both = { end_user = true, developer = true }, none = {},
}

local function register(state, request)
  local user, form, more = REGISTRARS[request.role](state, request)
  if not user then return errors.of("E19") end
  if TOKENED[state.dialect.reg_tokens][request.role] then
    for name, value in pairs(new_tokens(state, user)) do more[name] = value end
  end
  return 201, form, with(user, more)
end

local function login(state, request)
  local user = state.accounts:login(request.values.email, request.values.password, request.project_id)
  if not user then return errors.of("E12") end
  return 200, forms.tokens, new_tokens(state, user)
end

local function no_token() return nil end

local function same_token(_, _, sent) return sent end

local function next_token(state, user) return state.tokens:issue("refresh", user) end

local function last_use(state, user, sent)
  state.tokens:spend(sent)
  return next_token(state, user)
end

local ROTATION = { -- axis refresh_rotation (D09, D10): the refresh token of the answer
  reuse = { form = forms.tokens, token = same_token }, null = { form = forms.tokens, token = no_token },
  absent = { form = forms.access_token, token = no_token }, rotate = { form = forms.tokens, token = next_token },
  single_use = { form = forms.tokens, token = last_use },
}

local function refresh(state, request)
  local sent = request.values.refresh_token
  local user_id = state.tokens:check("refresh", sent)
  local user = user_id and state.accounts:get(user_id)
  if not user then return errors.of("E01") end
  local rotation = ROTATION[state.dialect.refresh_rotation]
  return 200, rotation.form, {
    access_token = state.tokens:issue("access", user), refresh_token = rotation.token(state, user, sent),
    token_type = "bearer",
  }
end

local function create_project(state, request)
  local limit = state.settings.project_limit
  if limit and #state.projects:of(request.user.id) >= limit then return errors.of("E36") end
  return 201, forms.created_project[state.dialect.project_create_body],
    state.projects:create(request.user.id, request.values)
end

local function create_api_key(state, request)
  local key, text = state.keys:issue("project",
    { owner_id = request.user.id, project_id = request.project.id, name = request.values.name })
  return 201, forms.created_api_key, with(key, { key = text })
end

-- Who generates without an account, and where: one user, who can't come in through any gate.
local ANYONE = { id = "anyone" }

local function generate(state, request, user, project_id)
  local limit = state.settings.generation_limit
  if limit and state.generations:running(user.id) >= limit then return nil, errors.generation_limited() end
  local generation = state.generations:create(user, project_id, request.submission)
  request.generation = generation
  return { id = generation.id, status = "pending", message = "Generation request submitted successfully" }
end

local function create_generation(state, request)
  local accepted, refusal = generate(state, request, request.user, request.project.id)
  if not accepted then return refusal end
  return 200, forms.created_generation, accepted
end

local function create_anonymous_generation(state, request)
  local accepted, refusal = generate(state, request, ANYONE, ANYONE.id)
  if not accepted then return refusal end
  return 200, forms.created_anonymous_generation, accepted
end

-- All that any form shows of a generation.
local function describe(state, generation)
  local status, since = state.generations:state(generation)
  local link = status == "completed" and state.storage:link(generation) or nil
  return {
    id = generation.id, status = status, instructions = generation.instructions, is_public = generation.is_public,
    result_image_url = link, generated_image_url = link, result = link and { image_url = link },
    error = status == "failed" and generation.failure or nil, created_at = encoding.timestamp(generation.created),
    updated_at = since and encoding.timestamp(since), example_images = {}, -- uploads are not kept
  }
end

local function status_of(state, user_id, project_id, id)
  local generation = state.generations:of(user_id, project_id, id)
  if not generation then return errors.of("generation_missing") end
  local record = describe(state, generation)
  local shown = forms.generation[state.dialect.generation_status_body]
  return 200, record.status == "failed" and shown.failed or shown.fine, record
end

local function generation_status(state, request)
  return status_of(state, request.user.id, request.project.id, request.parameters.generation_id)
end

local function anonymous_generation_status(state, request)
  return status_of(state, ANYONE.id, ANYONE.id, request.parameters.generation_id)
end

-- One page of generations; one past the end is empty.
local function page(state, request, list)
  local number, size = request.asked.page, request.asked.per_page
  local before = math.min((number - 1.0) * size, #list)
  local records = {}
  for i = before + 1, math.min(before + size, #list) do records[#records + 1] = describe(state, list[i]) end
  return 200, forms.generations, { generations = records, total = #list, page = number, per_page = size }
end

local function list_generations(state, request)
  return page(state, request, state.generations:in_project(request.user.id, request.project.id))
end

local function list_public_generations(state, request)
  return page(state, request, state.generations:public())
end

-- An answer that needs the caller's own generation of the path.
local function own(answer)
  return function(state, request)
    local generation = state.generations:of(request.user.id, request.project.id, request.parameters.generation_id)
    if not generation then return errors.of("generation_missing") end
    return answer(state, request, generation)
  end
end

local set_generation_public = own(function(_, request, generation)
  generation.is_public = request.values.is_public
  return 200, forms.visibility,
    { id = generation.id, is_public = generation.is_public, message = "Generation visibility updated" }
end)

local delete_generation = own(function(state, _, generation)
  state.generations:delete(generation)
  return 200, forms.message, { message = "Generation deleted successfully" }
end)

local PAGE = { -- "page B" of CONTRACT 3.1
  { "page", kind = fields.kinds.integer, min = 1, default = 1 },
  { "per_page", kind = fields.kinds.integer, min = 1, max = 100, default = 20 },
}

local EMAIL = { "email", required = true, check = fields.email, finding = "E17" }

---@type table[]
return {
  { "POST", "/api/v1/auth/register", row = 6, name = "register", profile = "register", answer = register, fields = {
    EMAIL,
    { "password", required = true, check = fields.password, finding = "E18" },
    { "full_name" },
  } },
  { "POST", "/api/v1/auth/login", row = 7, name = "login", profile = "login", answer = login,
    fields = { EMAIL, { "password", required = true } } },
  { "GET", "/api/v1/auth/me", row = 8, name = "get_me", profile = "bearer",
    answer = function(_, request) return 200, forms.user, request.user end },
  { "POST", "/api/v1/auth/refresh", row = 9, name = "refresh_token", profile = "none", answer = refresh,
    fields = { { "refresh_token", required = true } } },
  { "GET", "/api/v1/projects/", row = 15, name = "list_projects", profile = "dev",
    answer = function(state, request) return 200, forms.project, state.projects:of(request.user.id), "projects" end },
  { "POST", "/api/v1/projects/", row = 16, name = "create_project", profile = "dev", forbidden = "E07",
    answer = create_project, fields = {
    { "name", required = true, min = 3, max = 100 }, -- D29: the limits of E34 and E35
    { "description", max = 500 },
  } },
  { "GET", "/api/v1/projects/{project_id}", row = 19, name = "get_project", profile = "dev", owned = true,
    answer = function(_, request) return 200, forms.project, request.project end },
  { "POST", "/api/v1/projects/{project_id}/api-keys", row = 23, name = "create_api_key", profile = "dev", owned = true,
    answer = create_api_key, fields = { { "name", max = 255 } } },
  { "GET", "/api/v1/projects/{project_id}/api-keys", row = 24, name = "list_api_keys", profile = "dev", owned = true,
    answer = function(state, request)
      return 200, forms.api_key, state.keys:of_project(request.project.id), "api_keys"
    end },
  { "POST", "/api/v1/generation/generate-v2", row = 27, name = "create_generation", profile = "end", forbidden = "E08",
    upload = "own", answer = create_generation },
  { "GET", "/api/v1/generation/generations-v2/{generation_id}/status", row = 28, name = "get_generation_status",
    profile = "end", answer = generation_status },
  { "GET", "/api/v1/generation/generations-v2", row = 29, name = "list_generations", profile = "end",
    query = PAGE, answer = list_generations },
  { "PATCH", "/api/v1/generation/generations-v2/{generation_id}/public", row = 30, name = "set_generation_public",
    profile = "end", form = { { "is_public", kind = fields.kinds.boolean, required = true } },
    answer = set_generation_public },
  { "DELETE", "/api/v1/generation/generations-v2/{generation_id}", row = 31, name = "delete_generation",
    profile = "end", answer = delete_generation },
  { "GET", "/api/v1/generation/public-generations-v2", row = 32, name = "list_public_generations", profile = "none",
    query = PAGE, answer = list_public_generations },
  { "POST", "/api/v1/generation/generate-anonymous-v2", row = 33, name = "create_anonymous_generation",
    profile = "none", upload = "anonymous", answer = create_anonymous_generation },
  { "GET", "/api/v1/generation/anonymous-generations-v2/{generation_id}/status", row = 34,
    name = "get_anonymous_generation_status", profile = "none", answer = anonymous_generation_status },
}
