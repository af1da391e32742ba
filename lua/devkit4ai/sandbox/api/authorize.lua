--- Checks of the header profile (wire.md 1.4, in the order of 4.4), and of the owner of a project in the path.
--- A check returns an error response, or writes its results to the context.
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"

local M = {}

local function check_access_token(state, context)
  local token = (context.request.headers.authorization or ""):match("^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)$")
  local user_id = token and state.tokens:verify("access", token)
  context.user = user_id and state.accounts:get(user_id)
  if not context.user then return errors.response("E01") end
end

local function check_role_header(role)
  return function(_, context)
    local given = context.request.headers["x-user-role"]
    if not given or given == "" then return errors.response("E03") end
    if given ~= role then return errors.response("E05") end
  end
end

local function check_developer_key(state, context)
  local key = state.keys:authenticate("developer", context.request.headers["x-developer-key"] or "")
  if not key then return errors.response("E04") end
  context.developer_key = key
end

-- The user is a developer, and the developer key is this developer's.
local function check_developer(_, context)
  if context.user.role ~= "developer" then return errors.response(context.route.forbidden or "E05") end
  if context.developer_key.owner_id ~= context.user.id then return errors.response("E05") end
end

-- The project key is the project's, and the developer key is the owner's.
local function check_project(state, context)
  local headers = context.request.headers
  local id, key_text = headers["x-project-id"], headers["x-api-key"]
  if not id or id == "" then return errors.response("project_id_missing") end
  if not encoding.is_uuid(id) then return errors.response("E05") end
  if not key_text or key_text == "" then return errors.response("api_key_missing") end
  local project, key = state.projects:get(id), state.keys:authenticate("project", key_text)
  if not project or not key or key.project_id ~= project.id then return errors.response("api_key_invalid") end
  if context.developer_key.owner_id ~= project.owner_id then return errors.response("E05") end
  context.project = project
end

local function is_owner(user, project)
  return user.id == project.owner_id
end

local function is_end_user_of(user, project)
  return user.project_id == project.id
end

-- value of the dialect's axis role_strictness -> the user's role -> whether the user may generate in a project.
-- wire.md D25: the guide allows it to the developer who owns the project.
local PROJECT_ACCESS = {
  lenient = { end_user = is_end_user_of, developer = is_owner }, strict = { end_user = is_end_user_of },
}

local function check_project_access(state, context)
  local allowed = PROJECT_ACCESS[state.dialect.role_strictness][context.user.role]
  if not allowed or not allowed(context.user, context.project) then
    return errors.response(context.route.forbidden or "E05")
  end
end

-- The project of an end user's registration; or nil and the error response.
local function registration_project(state, headers)
  local id = headers["x-project-id"]
  if not headers["x-developer-key"] then return nil, errors.response("E20") end
  if not id then return nil, errors.response("E21") end
  if not encoding.is_uuid(id) then return nil, errors.response("E14") end
  local key = state.keys:authenticate("developer", headers["x-developer-key"])
  if not key then return nil, errors.response("E04") end
  local project = state.projects:get(id)
  if not project or project.owner_id ~= key.owner_id then return nil, errors.response("E22") end
  if headers["x-api-key"] then
    local project_key = state.keys:authenticate("project", headers["x-api-key"])
    if not project_key or project_key.project_id ~= project.id then return nil, errors.response("api_key_invalid") end
  end
  return project
end

-- The role of a registration follows from the headers, not from the body (wire.md 3.3).
local function check_registration(state, context)
  local headers = context.request.headers
  local role = headers["x-operator-key"] and "developer" or "end_user"
  if role == "developer" then
    if headers["x-operator-key"] ~= state.operator_key then return errors.response("E26") end
  else
    local project, error_response = registration_project(state, headers)
    if not project then return error_response end
    context.project = project
  end
  if headers["x-user-role"] and headers["x-user-role"] ~= role then return errors.response("E05") end
  context.role = role
end

-- With a project's id, its end users log in; without one, developers do.
local function check_login(_, context)
  local id = context.request.headers["x-project-id"]
  if id and not encoding.is_uuid(id) then return errors.response("E14") end
  context.login_project_id = id and id:lower()
end

-- profile -> checks, functions of the state and the context. wire.md 1.4 calls two of the profiles dev and end.
local PROFILES = {
  none = {},
  bearer = { check_access_token },
  developer = { check_access_token, check_role_header("developer"), check_developer_key, check_developer },
  end_user = {
    check_access_token, check_role_header("end_user"), check_developer_key, check_project, check_project_access,
  },
  register = { check_registration },
  login = { check_login },
}

--- Checks the headers that the route's profile asks for.
---@param state devkit4ai.sandbox.State
---@param context devkit4ai.sandbox.Context
---@return devkit4ai.sandbox.Response? error_response
function M.check_profile(state, context)
  for _, check in ipairs(PROFILES[context.route.profile]) do
    local error_response = check(state, context)
    if error_response then return error_response end
  end
end

--- Checks that the project in the path is the developer's.
---@param state devkit4ai.sandbox.State
---@param context devkit4ai.sandbox.Context
---@return devkit4ai.sandbox.Response? error_response
function M.check_project_owner(state, context)
  local project = state.projects:get(context.path_params.project_id)
  if not project then return errors.response("E09") end
  if not is_owner(context.user, project) then return errors.response("E05") end
  context.project = project
end

return M
