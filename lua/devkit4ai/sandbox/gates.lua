--- Who may come in: the header profiles of wire.md 1.4 as lists of checks, in the order of 4.4. A check returns
--- the answer that refuses the request, or nothing; what it found out it leaves in the request.
local encoding = require "devkit4ai.sandbox.encoding"
local errors = require "devkit4ai.sandbox.errors"

local function bearer(state, request)
  local token = (request.headers.authorization or ""):match("^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)$")
  local user_id = token and state.tokens:check("access", token)
  request.user = user_id and state.accounts:get(user_id)
  if not request.user then return errors.of("E01") end
end

local function role_header(role)
  return function(_, request)
    local given = request.headers["x-user-role"]
    if not given or given == "" then return errors.of("E03") end
    if given ~= role then return errors.of("E05") end
  end
end

local function developer_key(state, request)
  local key = state.keys:use("developer", request.headers["x-developer-key"] or "")
  if not key then return errors.of("E04") end
  request.developer_key = key
end

-- A developer's own token with the developer's own key.
local function developer(_, request, route)
  if request.user.role ~= "developer" then return errors.of(route.forbidden or "E05") end
  if request.developer_key.owner_id ~= request.user.id then return errors.of("E05") end
end

-- A project, its key, and the key of the developer who owns it.
local function project(state, request)
  local id, key_text = request.headers["x-project-id"], request.headers["x-api-key"]
  if not id or id == "" then return errors.of("project_id_missing") end
  if not encoding.is_uuid(id) then return errors.of("E05") end
  if not key_text or key_text == "" then return errors.of("api_key_missing") end
  local found, key = state.projects:get(id), state.keys:use("project", key_text)
  if not found or not key or key.project_id ~= found.id then return errors.of("api_key_invalid") end
  if request.developer_key.owner_id ~= found.owner_id then return errors.of("E05") end
  request.project = found
end

local function owns(user, project_found)
  return user.id == project_found.owner_id
end

local function is_in(user, project_found)
  return user.project_id == project_found.id
end

-- value of the dialect's axis role_strictness -> the token's role -> whether it may act in a project (wire.md D25: the
-- seed's guide lets the developer who owns it)
local MEMBERS = { lenient = { end_user = is_in, developer = owns }, strict = { end_user = is_in } }

local function member(state, request, route)
  local belongs = MEMBERS[state.dialect.role_strictness][request.user.role]
  if not belongs or not belongs(request.user, request.project) then return errors.of(route.forbidden or "E05") end
end

-- Registration: the role comes from the headers, not from the body (wire.md 3.3).
local function registrar(state, request)
  local headers = request.headers
  local role = "end_user"
  if headers["x-operator-key"] then
    if headers["x-operator-key"] ~= state.operator_key then return errors.of("E26") end
    role = "developer"
  else
    local id = headers["x-project-id"]
    if not headers["x-developer-key"] then return errors.of("E20") end
    if not id then return errors.of("E21") end
    if not encoding.is_uuid(id) then return errors.of("E14") end
    local key = state.keys:use("developer", headers["x-developer-key"])
    if not key then return errors.of("E04") end
    local found = state.projects:get(id)
    if not found or found.owner_id ~= key.owner_id then return errors.of("E22") end
    if headers["x-api-key"] then
      local project_key = state.keys:use("project", headers["x-api-key"])
      if not project_key or project_key.project_id ~= found.id then return errors.of("api_key_invalid") end
    end
    request.project = found
  end
  if headers["x-user-role"] and headers["x-user-role"] ~= role then return errors.of("E05") end
  request.role = role
end

-- Login looks into a project where one is named.
local function login_project(_, request)
  local id = request.headers["x-project-id"]
  if id and not encoding.is_uuid(id) then return errors.of("E14") end
  request.project_id = id and id:lower()
end

---@type table<string, (fun(state: table, request: table, route: table): devkit4ai.sandbox.Answer?)[]>
return {
  none = {},
  bearer = { bearer },
  dev = { bearer, role_header("developer"), developer_key, developer },
  ["end"] = { bearer, role_header("end_user"), developer_key, project, member },
  register = { registrar },
  login = { login_project },
}
