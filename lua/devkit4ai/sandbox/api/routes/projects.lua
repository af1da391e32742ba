--- Routes of projects, their end users and their statistics: wire.md 3.1, rows 15 to 22 and 26.
local errors = require "devkit4ai.sandbox.api.errors"
local json = require "devkit4ai.sandbox.util.json"
local merge = require "devkit4ai.sandbox.util.merge"
local reply = require "devkit4ai.sandbox.api.reply"
local schemas = require "devkit4ai.sandbox.api.schemas"
local validation = require "devkit4ai.sandbox.api.validation"

local function list_projects(state, context)
  local projects = state.projects:list_by_owner(context.user.id)
  return reply.list(state.dialect.list_envelope, schemas.project, projects, "projects")
end

local function create_project(state, context)
  local limit = state.settings.project_limit
  if limit and #state.projects:list_by_owner(context.user.id) >= limit then return errors.response("E36") end
  local project = state.projects:create(context.user.id, context.body)
  return reply.record(201, schemas.created_project[state.dialect.project_create_body], project)
end

local function get_project(_, context)
  return reply.record(200, schemas.project, context.project)
end

-- An absent field changes nothing. Null does not change the name, and removes the description.
local function update_project(state, context)
  local body = context.body
  if next(body) then
    local description = body.description
    if description == json.null then description = false end
    state.projects:update(context.project, { name = body.name, description = description })
  end
  return reply.record(200, schemas.project, context.project)
end

local function delete_project(state, context)
  state:delete_project(context.project)
  return reply.NO_CONTENT
end

local function count(records)
  local active = 0
  for _, record in ipairs(records) do
    if record.is_active then active = active + 1 end
  end
  return { total = #records, active = active }
end

-- The end users of projects that match search and is_active, newest first. The search ignores case in addresses only.
local function find_users(state, projects, query)
  local search = query.search or ""
  local lower_search, found = search:lower(), {}
  for _, project in ipairs(projects) do
    for _, user in ipairs(state.accounts:list_by_project(project.id)) do
      local matches = user.email:lower():find(lower_search, 1, true)
        or user.full_name and user.full_name:find(search, 1, true)
      if matches and (query.is_active == nil or query.is_active == user.is_active) then found[#found + 1] = user end
    end
  end
  table.sort(found, function(a, b) return a.number > b.number end)
  return found
end

-- The developer's projects, or only the one that the query names.
local function selected_projects(state, context)
  local projects, id = state.projects:list_by_owner(context.user.id), context.query_params.project_id
  if not id then return projects end
  for _, project in ipairs(projects) do
    if project.id == id then return { project } end
  end
  return {}
end

local function statistics(state, projects, query)
  local keys = {}
  for _, project in ipairs(projects) do
    for _, key in ipairs(state.keys:list_by_project(project.id)) do keys[#keys + 1] = key end
  end
  return { projects = count(projects), users = count(find_users(state, projects, query)), api_keys = count(keys) }
end

local function get_global_stats(state, context)
  return reply.record(200, schemas.global_stats,
    statistics(state, selected_projects(state, context), context.query_params))
end

local function get_project_stats(state, context)
  return reply.record(200, schemas.project_stats, statistics(state, { context.project }, context.query_params))
end

local function users_page(context, schema, users, to_record)
  local number, size = context.query_params.page, context.query_params.page_size
  return reply.record(200, schema, {
    users = reply.page_records(users, number, size, to_record), total = #users, page = number, page_size = size,
  })
end

local function list_all_users(state, context)
  local users = find_users(state, selected_projects(state, context), context.query_params)
  return users_page(context, schemas.all_users, users, function(user)
    return merge(user, { joined_at = user.created_at, project_name = state.projects:get(user.project_id).name })
  end)
end

local function list_project_users(state, context)
  local users = find_users(state, { context.project }, context.query_params)
  return users_page(context, schemas.project_users, users, function(user)
    return merge(user, { joined_at = user.created_at })
  end)
end

local SEARCH, ACTIVE = { "search", type = validation.types.text }, { "is_active", type = validation.types.boolean }
local PROJECT = { "project_id", type = validation.types.uuid }
local PAGE = { "page", type = validation.types.integer, min = 1, default = 1 } -- "page A" of wire.md 3.1
local PAGE_SIZE = { "page_size", type = validation.types.integer, min = 1, max = 100, default = 50 }
local ALL, ONE = "/api/v1/projects", "/api/v1/projects/{project_id}"

---@type devkit4ai.sandbox.Route[]
return {
  { "GET", ALL .. "/", row = 15, name = "list_projects", profile = "developer", handler = list_projects },
  { "POST", ALL .. "/", row = 16, name = "create_project", profile = "developer", forbidden = "E07",
    handler = create_project, json = {
      { "name", required = true, min = 3, max = 100 }, -- wire.md D29: the limits of E34 and E35
      { "description", max = 500 },
    } },
  { "GET", ALL .. "/stats", row = 17, name = "get_global_stats", profile = "developer",
    query = { SEARCH, ACTIVE, PROJECT }, handler = get_global_stats },
  { "GET", ALL .. "/users", row = 18, name = "list_all_users", profile = "developer",
    query = { PAGE, PAGE_SIZE, SEARCH, ACTIVE, PROJECT }, handler = list_all_users },
  { "GET", ONE, row = 19, name = "get_project", profile = "developer", owner_only = true, handler = get_project },
  { "PUT", ONE, row = 20, name = "update_project", profile = "developer", owner_only = true, handler = update_project,
    json = { { "name", min = 1, max = 255 }, { "description", max = 1000, nullable = true } } }, -- wire.md D29: other limits
  { "DELETE", ONE, row = 21, name = "delete_project", profile = "developer", owner_only = true,
    handler = delete_project },
  { "GET", ONE .. "/stats", row = 22, name = "get_project_stats", profile = "developer", owner_only = true,
    query = { SEARCH, ACTIVE }, handler = get_project_stats },
  { "GET", ONE .. "/users", row = 26, name = "list_project_users", profile = "developer", owner_only = true,
    query = { PAGE, PAGE_SIZE, SEARCH, ACTIVE }, handler = list_project_users },
}
