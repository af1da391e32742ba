--- The routes: checks each request, calls its handler with a client of the API for its user, and sends the response.
local accounts = require "gateway.accounts"
local cjson = require "cjson.safe"
local devkit4ai = require "devkit4ai"
local failures = require "gateway.failures"
local generations = require "gateway.generations"
local images = require "gateway.images"

local M = {}

-- This client has the studio's keys, from the environment: the lines `env` of nginx.conf. It makes the users' clients.
local client = assert(devkit4ai.new { store = require("devkit4ai.store.nginx").new "tokens" })
M.project = assert(client:project()) -- of all users

-- A handler gets the user's client, the session (nil in a public route), and the id in the path or the JSON of the body.
-- It returns a table (sent as JSON), true (no content), false (it has sent the response), or the address of a file.
local ROUTES = {
  ["POST /api/sign-up"] = accounts.sign_up,
  ["POST /api/log-in"] = accounts.log_in,
  ["POST /api/log-out"] = accounts.log_out,
  ["GET /api/me"] = function(_, session) return { email = session.email } end,
  ["POST /api/images"] = images.upload,
  ["POST /api/generations"] = generations.create,
  ["GET /api/generations"] = generations.list,
}
local OF_GENERATION = {
  ["DELETE "] = generations.delete, ["GET /events"] = generations.events, ["GET /image"] = generations.image,
}
local PUBLIC = { [accounts.sign_up] = true, [accounts.log_in] = true }
local UUID = ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12)

-- Another site's page can make a browser send a request, but it can't change these headers.
local function check_origin(method)
  local site, origin = ngx.var.http_sec_fetch_site, ngx.var.http_origin or ""
  local is_own = method == "GET" or origin:match("^https?://(.+)$") == ngx.var.http_host
  if not is_own or site and site ~= "same-origin" then failures.refuse(403, "Use the page of this server.") end
end

local function read_json()
  if not (ngx.var.content_type or ""):find("^application/json") then return {} end
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or "")
  return type(body) == "table" and body or {}
end

local function handle(request)
  local method, path = ngx.req.get_method(), ngx.var.uri
  local id, rest = path:match("^/api/generations/(" .. UUID .. ")(.*)$")
  local handler = id and OF_GENERATION[method .. " " .. rest] or ROUTES[method .. " " .. path]
  if not handler then failures.refuse(404, "There is nothing at this address.") end
  check_origin(method)
  local session = not PUBLIC[handler] and (accounts.session() or failures.refuse(401, "Log in first.")) or nil
  request.user = failures.try(M.project:end_user(session and session.tokens))
  return handler(request.user, session, id or read_json())
end

--- Answers the current request.
function M.run()
  ngx.header.cache_control = "no-store"
  local request = {}
  local done, value = pcall(handle, request)
  if request.user then request.user:close() end
  if not done then ngx.status, value = failures.describe(value) end
  if type(value) == "string" then return ngx.exec(value) end
  if value == true then return ngx.exit(204) end
  if value == false then return end
  ngx.header.content_type = "application/json"
  ngx.say(cjson.encode(value))
end

return M
