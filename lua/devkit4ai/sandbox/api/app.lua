--- The API as a service: routing, rate limits, authorization, validation, then the route's handler. The order of the
--- checks is that of wire.md 4.4.
local authorize = require "devkit4ai.sandbox.api.authorize"
local contexts = require "devkit4ai.sandbox.api.context"
local errors = require "devkit4ai.sandbox.api.errors"
local generation_upload = require "devkit4ai.sandbox.api.generation_upload"
local query_string = require "devkit4ai.sandbox.http.query_string"
local request_body = require "devkit4ai.sandbox.api.request_body"
local responses = require "devkit4ai.sandbox.http.response"
local routers = require "devkit4ai.sandbox.http.router"
local validation = require "devkit4ai.sandbox.api.validation"

local M = {}

---@class devkit4ai.sandbox.App: devkit4ai.sandbox.Service
---@field private _state devkit4ai.sandbox.State
---@field private _router devkit4ai.sandbox.Router
local App = {}
App.__index = App

local BODY_LIMIT = 1024 * 1024 -- bytes of a JSON body, and of a form without files

-- Operations that the documents name and the API lacks (wire.md 3.4), on paths that exist with other methods.
local MISSING_OPERATIONS = {
  { "GET", "^/api/v1/auth/verify%-email$" }, { "POST", "^/api/v1/projects/revoke%-api%-key$" },
  { "PATCH", "^/api/v1/projects/[^/]+$" },
}

local function is_missing_operation(request)
  for _, row in ipairs(MISSING_OPERATIONS) do
    if request.method == row[1] and request.path:find(row[2]) then return true end
  end
  return false
end

-- The response where no route matches: 405, a redirect to the right slash, or 404.
local function no_route(request, miss)
  if miss.methods and not is_missing_operation(request) then
    return responses.detail(405, "Method Not Allowed", { "Allow: " .. table.concat(miss.methods, ", ") })
  end
  if not miss.redirect then return errors.response("not_found") end
  local host = (request.headers.host or ""):match("^[%w%.%-:%[%]]+$")
  local query = request.query ~= "" and "?" .. request.query or ""
  local location = (host and "http://" .. host or "") .. miss.redirect .. query
  return { status = 307, body = "", headers = { "Location: " .. location } }
end

local function read_query(context)
  local parameters, error_response = context.route.query, nil
  if parameters then
    context.query_params, error_response =
      validation.parameters(parameters, query_string.decode(context.request.query), "query")
  end
  return error_response
end

local function read_json(context)
  local request = context.request
  local body, status, reason = request:read_all(BODY_LIMIT)
  if not body then return responses.detail(status, reason) end
  local error_response
  context.body, error_response =
    validation.json_body(context.route.json, body, request_body.format(request) == "json")
  return error_response
end

local function read_form(context)
  local texts, error_response = request_body.read_form(context.request, BODY_LIMIT)
  if not texts then return error_response end
  context.body, error_response = validation.parameters(context.route.form, texts, "body")
  return error_response
end

local function read_upload(context, dialect)
  local error_response
  context.upload, error_response = generation_upload.read(context.request, context.route.upload, dialect)
  return error_response
end

local function read_body(context, dialect)
  local route = context.route
  if route.json then return read_json(context) end
  if route.form then return read_form(context) end
  if route.upload then return read_upload(context, dialect) end
end

-- Checks a request and calls its handler.
local function run(state, context)
  local route = context.route
  if not route then return no_route(context.request, context.route_miss) end
  local wait, window = state.rate_limits:count_request(route.rate_limit)
  if wait then return errors.rate_limited(wait, window) end
  local error_response = authorize.check_profile(state, context)
    or validation.path(context.path_params)
    or read_query(context)
    or read_body(context, state.dialect)
    or route.owner_only and authorize.check_project_owner(state, context)
  return error_response or route.handler(state, context)
end

--- Finds the route of a request.
---@param request devkit4ai.sandbox.Request
---@return string? operation nil: no route matches
---@return devkit4ai.sandbox.Context call
function App:match(request)
  local context = contexts.new(request, self._router)
  return context.route and context.route.name, context
end

---@param context devkit4ai.sandbox.Context
---@return devkit4ai.sandbox.Response
function App:handle(context)
  return self._state.rate_limits:add_headers(run(self._state, context))
end

---@param state devkit4ai.sandbox.State
---@param routes devkit4ai.sandbox.Route[]
---@return devkit4ai.sandbox.App
function M.new(state, routes)
  return setmetatable({ _state = state, _router = routers.new(routes, state.dialect.slash) }, App)
end

return M
