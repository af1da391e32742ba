--- The API as a service (exchange.lua). The order of the checks is wire.md 4.4's: route, rate,
--- token, role, keys and project, then path and body, then ownership, then state.
local content = require "devkit4ai.sandbox.content"
local encoding = require "devkit4ai.sandbox.encoding"
local errors = require "devkit4ai.sandbox.errors"
local fields = require "devkit4ai.sandbox.fields"
local forms = require "devkit4ai.sandbox.forms"
local gates = require "devkit4ai.sandbox.gates"
local json = require "devkit4ai.sandbox.json"
local router = require "devkit4ai.sandbox.router"
local uploads = require "devkit4ai.sandbox.uploads"

local M = {}
local App = {}
App.__index = App

local JSON_LIMIT = 1024 * 1024 -- bytes of a JSON body

-- Of the paths of wire.md 3.4, which are not there, those that lie where an operation of another method does.
local ABSENT = {
  { "GET", "^/api/v1/auth/verify%-email$" }, { "POST", "^/api/v1/projects/revoke%-api%-key$" },
  { "PATCH", "^/api/v1/projects/[^/]+$" },
}

local function is_absent(request)
  for _, absent in ipairs(ABSENT) do
    if request.method == absent[1] and request.path:find(absent[2]) then return true end
  end
  return false
end

-- No such route: another method, the slash wrong, or nothing there.
local function astray(request, instead)
  if instead.allow and not is_absent(request) then
    return errors.answer(405, "Method Not Allowed", { "Allow: " .. table.concat(instead.allow, ", ") })
  end
  if not instead.moved then return errors.of("not_found") end
  local host = (request.headers.host or ""):match("^[%w%.%-:%[%]]+$")
  local query = request.query ~= "" and "?" .. request.query or ""
  local location = (host and "http://" .. host or "") .. instead.moved .. query
  return { status = 307, body = "", headers = { "Location: " .. location } }
end

-- Every parameter of a path is a UUID.
local function check_path(parameters)
  local findings = {}
  for name, value in pairs(parameters) do
    if not encoding.is_uuid(value) then findings[#findings + 1] = errors.finding("E33", { "path", name }) end
  end
  if #findings > 0 then return errors.invalid(findings) end
end

-- Reads the body that the route asks for into the request.
local function read_body(request, route, dialect)
  local refusal
  if route.fields then
    local body, status, reason = request:body(JSON_LIMIT)
    if not body then return errors.answer(status, reason) end
    request.values, refusal = fields.read(route.fields, body, content.kind(request) == "json")
  elseif route.form then
    local texts
    texts, refusal = content.texts(request, JSON_LIMIT)
    if refusal then return refusal end
    request.values, refusal = fields.parameters(route.form, texts, "body")
  elseif route.upload then
    request.submission, refusal = uploads.read(request, route.upload, dialect)
  end
  return refusal
end

local function check_owner(state, request)
  local project = state.projects:get(request.parameters.project_id)
  if not project then return errors.of("E09") end
  if project.owner_id ~= request.user.id then return errors.of("E05") end
  request.project = project
end

-- Reads the query that the route asks for into the request.
local function read_query(request, route)
  local refusal
  if route.query then request.asked, refusal = fields.parameters(route.query, fields.decode(request.query), "query") end
  return refusal
end

local function respond(self, request)
  local route, state = request.route, self.state
  if not route then return astray(request, request.instead) end
  local seconds, window = state.rates:take(route.limit)
  if seconds then return errors.rate_limited(seconds, window) end
  for _, check in ipairs(gates[route.profile]) do
    local refusal = check(state, request, route)
    if refusal then return refusal end
  end
  local refusal = check_path(request.parameters) or read_query(request, route)
    or read_body(request, route, state.dialect)
    or route.owned and check_owner(state, request)
  if refusal then return refusal end
  local status, form, record, list = route.answer(state, request)
  if not form then return status end
  return { status = status, body = list and self.write_list(form, record, list) or json.object(form, record) }
end

--- What a request asks for: the name of its route, or nil where there is none.
---@param request devkit4ai.sandbox.Request
---@return string?
function App:operation(request)
  request.route, request.parameters, request.instead = self.router:find(request.method, request.path)
  return request.route and request.route.name
end

--- Answers a request whose operation was asked for.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Answer
function App:answer(request)
  return self.state.rates:dress(respond(self, request))
end

--- The API over a state.
---@param state table
---@param routes table[]
---@return devkit4ai.sandbox.Service
function M.new(state, routes)
  local dialect = state.dialect
  return setmetatable({
    state = state, router = router.new(routes, dialect.slash), write_list = forms.lists[dialect.list_envelope],
  }, App)
end

return M
