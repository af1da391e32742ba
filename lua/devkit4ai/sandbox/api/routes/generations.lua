--- Routes of generations, public ones and anonymous ones: wire.md 3.1, rows 27 to 34.
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"
local reply = require "devkit4ai.sandbox.api.reply"
local schemas = require "devkit4ai.sandbox.api.schemas"
local validation = require "devkit4ai.sandbox.api.validation"

-- The user and the project of all anonymous generations. No account and no project has this id.
local ANONYMOUS = "anonymous"

-- Creates a generation, unless the user has too many unfinished ones, or the owner's quota is used up.
local function generate(state, context, schema, user_id, project_id, owner_id)
  local limit, quota = state.settings.generation_limit, state.generation_quotas[context.route.upload]
  if limit and state.generations:count_unfinished(user_id) >= limit or quota and quota:hit(owner_id) then
    return errors.generation_limited()
  end
  local generation = state.generations:create(user_id, project_id, context.upload)
  local response = reply.record(200, schema,
    { id = generation.id, status = "pending", message = "Generation request submitted successfully" })
  response.generation = generation
  return response
end

local function create_generation(state, context)
  local project = context.project
  return generate(state, context, schemas.created_generation, context.user.id, project.id, project.owner_id)
end

local function create_anonymous_generation(state, context)
  return generate(state, context, schemas.created_anonymous_generation, ANONYMOUS, ANONYMOUS, ANONYMOUS)
end

-- A generation with all that any schema shows of it.
local function to_record(state, generation)
  local status, since = state.generations:status(generation)
  local link = status == "completed" and state.image_links:url(generation) or nil
  return {
    id = generation.id, status = status, instructions = generation.instructions, is_public = generation.is_public,
    result_image_url = link, generated_image_url = link, result = link and { image_url = link },
    error = status == "failed" and generation.failure or nil, created_at = encoding.timestamp(generation.created),
    updated_at = since and encoding.timestamp(since), example_images = {}, -- uploads are not stored
  }
end

local function status_response(state, user_id, project_id, id)
  local generation = state.generations:find(user_id, project_id, id)
  if not generation then return errors.response("generation_not_found") end
  local record = to_record(state, generation)
  local by_status = schemas.generation_status[state.dialect.generation_status_body]
  return reply.record(200, record.status == "failed" and by_status.failed or by_status.other, record)
end

local function get_status(state, context)
  return status_response(state, context.user.id, context.project.id, context.path_params.generation_id)
end

local function get_anonymous_status(state, context)
  return status_response(state, ANONYMOUS, ANONYMOUS, context.path_params.generation_id)
end

local function page_response(state, context, generations)
  local number, size = context.query_params.page, context.query_params.per_page
  local records = reply.page_records(generations, number, size, function(generation)
    return to_record(state, generation)
  end)
  return reply.record(200, schemas.generations,
    { generations = records, total = #generations, page = number, per_page = size })
end

local function list_generations(state, context)
  return page_response(state, context, state.generations:list_by_user(context.user.id, context.project.id))
end

local function list_public_generations(state, context)
  return page_response(state, context, state.generations:list_public())
end

-- The user's generation that the path names; or nil and the response.
local function find_own(state, context)
  local generation = state.generations:find(context.user.id, context.project.id, context.path_params.generation_id)
  if not generation then return nil, errors.response("generation_not_found") end
  return generation
end

local function set_public(state, context)
  local generation, error_response = find_own(state, context)
  if not generation then return error_response end
  state.generations:set_public(generation, context.body.is_public)
  return reply.record(200, schemas.visibility,
    { id = generation.id, is_public = generation.is_public, message = "Generation visibility updated" })
end

local function delete_generation(state, context)
  local generation, error_response = find_own(state, context)
  if not generation then return error_response end
  state.generations:delete(generation)
  return reply.record(200, schemas.message, { message = "Generation deleted successfully" })
end

local PAGE = { -- "page B" of wire.md 3.1
  { "page", type = validation.types.integer, min = 1, default = 1 },
  { "per_page", type = validation.types.integer, min = 1, max = 100, default = 20 },
}
local PATH = "/api/v1/generation/"

---@type devkit4ai.sandbox.Route[]
return {
  { "POST", PATH .. "generate-v2", row = 27, name = "create_generation", profile = "end_user", forbidden = "E08",
    upload = "project", handler = create_generation },
  { "GET", PATH .. "generations-v2/{generation_id}/status", row = 28, name = "get_generation_status",
    profile = "end_user", handler = get_status },
  { "GET", PATH .. "generations-v2", row = 29, name = "list_generations", profile = "end_user", query = PAGE,
    handler = list_generations },
  { "PATCH", PATH .. "generations-v2/{generation_id}/public", row = 30, name = "set_generation_public",
    profile = "end_user", form = { { "is_public", type = validation.types.boolean, required = true } },
    handler = set_public },
  { "DELETE", PATH .. "generations-v2/{generation_id}", row = 31, name = "delete_generation", profile = "end_user",
    handler = delete_generation },
  { "GET", PATH .. "public-generations-v2", row = 32, name = "list_public_generations", profile = "none",
    query = PAGE, handler = list_public_generations },
  { "POST", PATH .. "generate-anonymous-v2", row = 33, name = "create_anonymous_generation", profile = "none",
    upload = "anonymous", handler = create_anonymous_generation },
  { "GET", PATH .. "anonymous-generations-v2/{generation_id}/status", row = 34,
    name = "get_anonymous_generation_status", profile = "none", handler = get_anonymous_status },
}
