--- Projects, their end users, and how many there are of each: wire.md 3.1, rows 15 to 22 and 26.
local encoding = require "devkit4ai.sandbox.encoding"
local errors = require "devkit4ai.sandbox.errors"
local fields = require "devkit4ai.sandbox.fields"
local forms = require "devkit4ai.sandbox.forms"
local json = require "devkit4ai.sandbox.json"

local function create_project(state, request)
  local limit = state.settings.project_limit
  if limit and #state.projects:of(request.user.id) >= limit then return errors.of("E36") end
  return 201, forms.created_project[state.dialect.project_create_body],
    state.projects:create(request.user.id, request.values)
end

-- What is left out stays; null leaves the name alone and clears the description.
local function update_project(state, request)
  local project, given = request.project, request.values
  if next(given) then project.updated_at = encoding.timestamp(state.clock()) end
  project.name = given.name or project.name
  if given.description == json.null then project.description = nil
  else project.description = given.description or project.description end
  return 200, forms.project, project
end

local function delete_project(state, request)
  state:delete_project(request.project)
  return forms.nothing
end

-- How many records there are, and how many of them are active.
local function count(records)
  local active = 0
  for _, record in ipairs(records) do
    if record.is_active then active = active + 1 end
  end
  return { total = #records, active = active }
end

-- The end users of some projects whom search and is_active let through, newest first. An address is found whatever its
-- case, a name as it is written.
local function users_of(state, projects, asked)
  local search = asked.search or ""
  local low, found = search:lower(), {}
  for _, project in ipairs(projects) do
    for _, user in ipairs(state.accounts:of_project(project.id)) do
      local fits = user.email:lower():find(low, 1, true) or user.full_name and user.full_name:find(search, 1, true)
      if fits and (asked.is_active == nil or asked.is_active == user.is_active) then found[#found + 1] = user end
    end
  end
  table.sort(found, function(a, b) return a.number > b.number end)
  return found
end

-- The caller's projects, or of them the one that the query names.
local function asked_projects(state, request)
  local projects, id = state.projects:of(request.user.id), request.asked.project_id
  if not id then return projects end
  for _, project in ipairs(projects) do
    if project.id == id then return { project } end
  end
  return {}
end

local function stats(state, projects, asked)
  local keys = {}
  for _, project in ipairs(projects) do
    for _, key in ipairs(state.keys:of_project(project.id)) do keys[#keys + 1] = key end
  end
  return { projects = count(projects), users = count(users_of(state, projects, asked)), api_keys = count(keys) }
end

local function global_stats(state, request)
  return 200, forms.global_stats, stats(state, asked_projects(state, request), request.asked)
end

local function project_stats(state, request)
  return 200, forms.project_stats, stats(state, { request.project }, request.asked)
end

local function page(request, form, list, show)
  local number, size = request.asked.page, request.asked.page_size
  return 200, form, { users = forms.page(list, number, size, show), total = #list, page = number, page_size = size }
end

local function list_users(state, request)
  return page(request, forms.users, users_of(state, asked_projects(state, request), request.asked), function(user)
    return setmetatable({ joined_at = user.created_at, project_name = state.projects:get(user.project_id).name },
      { __index = user })
  end)
end

local function list_project_users(state, request)
  return page(request, forms.project_users, users_of(state, { request.project }, request.asked), function(user)
    return setmetatable({ joined_at = user.created_at }, { __index = user })
  end)
end

local SEARCH, ACTIVE = { "search", kind = fields.kinds.text }, { "is_active", kind = fields.kinds.boolean }
local ONE = { "project_id", kind = fields.kinds.uuid }
local PAGE = { "page", kind = fields.kinds.integer, min = 1, default = 1 } -- "page A" of wire.md 3.1
local SIZE = { "page_size", kind = fields.kinds.integer, min = 1, max = 100, default = 50 }
local PATH, OWN = "/api/v1/projects", "/api/v1/projects/{project_id}"

---@type table[]
return {
  { "GET", PATH .. "/", row = 15, name = "list_projects", profile = "dev",
    answer = function(state, request) return 200, forms.project, state.projects:of(request.user.id), "projects" end },
  { "POST", PATH .. "/", row = 16, name = "create_project", profile = "dev", forbidden = "E07",
    answer = create_project, fields = {
    { "name", required = true, min = 3, max = 100 }, -- wire.md D29: the limits of E34 and E35
    { "description", max = 500 },
  } },
  { "GET", PATH .. "/stats", row = 17, name = "get_global_stats", profile = "dev", query = { SEARCH, ACTIVE, ONE },
    answer = global_stats },
  { "GET", PATH .. "/users", row = 18, name = "list_all_users", profile = "dev",
    query = { PAGE, SIZE, SEARCH, ACTIVE, ONE }, answer = list_users },
  { "GET", OWN, row = 19, name = "get_project", profile = "dev", owned = true,
    answer = function(_, request) return 200, forms.project, request.project end },
  { "PUT", OWN, row = 20, name = "update_project", profile = "dev", owned = true, answer = update_project, fields = {
    { "name", min = 1, max = 255 }, { "description", max = 1000, clears = true }, -- wire.md D29: an update's own limits
  } },
  { "DELETE", OWN, row = 21, name = "delete_project", profile = "dev", owned = true, answer = delete_project },
  { "GET", OWN .. "/stats", row = 22, name = "get_project_stats", profile = "dev", owned = true,
    query = { SEARCH, ACTIVE }, answer = project_stats },
  { "GET", OWN .. "/users", row = 26, name = "list_project_users", profile = "dev", owned = true,
    query = { PAGE, SIZE, SEARCH, ACTIVE }, answer = list_project_users },
}
