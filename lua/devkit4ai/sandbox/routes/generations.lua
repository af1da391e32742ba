--- Generations, public ones and those without an account: wire.md 3.1, rows 27 to 34.
local encoding = require "devkit4ai.sandbox.encoding"
local errors = require "devkit4ai.sandbox.errors"
local fields = require "devkit4ai.sandbox.fields"
local forms = require "devkit4ai.sandbox.forms"

-- Who generates without an account, and where: one user, who can't come in through any gate.
local ANYONE = { id = "anyone" }

-- Makes a generation, which counts among those that its user has under way, and in the quota of the one who pays.
local function generate(state, request, user, project_id, payer)
  local limit, quota = state.settings.generation_limit, state.quotas[request.route.upload]
  if limit and state.generations:running(user.id) >= limit or quota and quota:take(payer) then
    return nil, errors.generation_limited()
  end
  local generation = state.generations:create(user, project_id, request.submission)
  request.generation = generation
  return { id = generation.id, status = "pending", message = "Generation request submitted successfully" }
end

local function create_generation(state, request)
  local accepted, refusal = generate(state, request, request.user, request.project.id, request.project.owner_id)
  if not accepted then return refusal end
  return 200, forms.created_generation, accepted
end

local function create_anonymous_generation(state, request)
  local accepted, refusal = generate(state, request, ANYONE, ANYONE.id, ANYONE.id)
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

local function page(state, request, list)
  local number, size = request.asked.page, request.asked.per_page
  local records = forms.page(list, number, size, function(generation) return describe(state, generation) end)
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

local PAGE = { -- "page B" of wire.md 3.1
  { "page", kind = fields.kinds.integer, min = 1, default = 1 },
  { "per_page", kind = fields.kinds.integer, min = 1, max = 100, default = 20 },
}
local PATH = "/api/v1/generation/"

---@type table[]
return {
  { "POST", PATH .. "generate-v2", row = 27, name = "create_generation", profile = "end", forbidden = "E08",
    upload = "own", answer = create_generation },
  { "GET", PATH .. "generations-v2/{generation_id}/status", row = 28, name = "get_generation_status",
    profile = "end", answer = generation_status },
  { "GET", PATH .. "generations-v2", row = 29, name = "list_generations", profile = "end", query = PAGE,
    answer = list_generations },
  { "PATCH", PATH .. "generations-v2/{generation_id}/public", row = 30, name = "set_generation_public",
    profile = "end", form = { { "is_public", kind = fields.kinds.boolean, required = true } },
    answer = set_generation_public },
  { "DELETE", PATH .. "generations-v2/{generation_id}", row = 31, name = "delete_generation", profile = "end",
    answer = delete_generation },
  { "GET", PATH .. "public-generations-v2", row = 32, name = "list_public_generations", profile = "none",
    query = PAGE, answer = list_public_generations },
  { "POST", PATH .. "generate-anonymous-v2", row = 33, name = "create_anonymous_generation", profile = "none",
    upload = "anonymous", answer = create_anonymous_generation },
  { "GET", PATH .. "anonymous-generations-v2/{generation_id}/status", row = 34,
    name = "get_anonymous_generation_status", profile = "none", answer = anonymous_generation_status },
}
