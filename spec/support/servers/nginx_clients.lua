-- nginx with clients of the library, and a raw server as the API, for the specs of nginx.
local nginx = require "spec.support.servers.nginx"
local raw = require "spec.support.servers.raw"

local M = {}

-- The API: it answers at once; requests to /held when the spec releases them; those to /met when MANY of them are there.
-- It keeps the generations that were created, and lists them.
local API = [[
local ID, MANY = "550e8400-e29b-41d4-a716-446655440000", 30
local met, created = 0, setmetatable({}, require("cjson").array_mt)
local function create(request)
  created[#created + 1] = {
    id = ("00000000-0000-4000-8000-%012d"):format(#created + 1), status = "pending",
    created_at = os.date("!%Y-%m-%dT%H:%M:%SZ"),
    instructions = request.body:match('name="instructions"\r\n\r\n(.-)\r\n'),
  }
  return created[#created]
end
return function(conn)
  local request = conn:read_request()
  while request do
    local answer = request.method == "POST" and create(request) or { id = ID, email = "a@example.com" }
    if request.method == "GET" and request.target:find("/generations-v2", 1, true) then
      answer = { generations = created, total = #created }
    end
    if request.target:find("^/held") then conn:hold() end
    if request.target:find("^/met") then
      met = met + 1
      while met < MANY do conn:sleep(0.005) end
    end
    conn:respond(200, answer)
    request = conn:read_request()
  end
end]]

-- client, held and met: clients of these parts of the API. create() makes a generation in the held part. say() answers with the
-- email or the message. An orphan event is a line of the log. wait_until_told() waits for a request to /tell, and so does
-- wait_in_on_upload(), after a line in the log.
local INIT = [[init_by_lua_block {
  devkit4ai = require "devkit4ai"
  local function log_orphan(event)
    devkit4ai.sleep(0) -- so that it ends later than its call goes on
    if event.type ~= "orphan" then return end
    ngx.log(ngx.ERR, "<orphan ", event.operation, " ", event.generation_id or event.outcome, ">")
  end
  function new(path, url)
    return assert(devkit4ai.new {
      base_url = (url or "URL") .. path, access_token = "access", developer_key = "ak_abc",
      project_id = "770e8400-e29b-41d4-a716-446655440002", project_key = "pk_abc", on_event = log_orphan,
    })
  end
  client, held, met = new "", new "/held", new "/met"
  images = { { data = "\137PNG\r\n\26\n" .. ("x"):rep(100), filename = "a.png" } }
  function say(value, message) ngx.say(tostring(value and value.email or message)) end
  function create() return held:generate { images = images, prompt = "neon" } end
  function wait_in_on_upload()
    ngx.log(ngx.ERR, "<on_upload>")
    wait_until_told()
  end
  function wait_until_told() while not package.loaded.told do ngx.sleep(0.005) end end
  MORE
}]]

local SERVER = [[
  location = /me { content_by_lua_block { say(client:me()) } }
  location = /held { content_by_lua_block { say(held:me()) } }
  location = /met { content_by_lua_block { say(met:me()) } }
  location = /tell { content_by_lua_block { package.loaded.told = true } }
]]

--- Starts the API.
---@return spec.RawServer
function M.api()
  return raw.start { script = API }
end

--- Starts nginx. `server` has the locations /me, /held and /met besides, which call `me` of the three clients, and /tell.
---@param api spec.RawServer
---@param options table? of nginx.start; init: more Lua of init_by_lua; no_clients: without the clients and locations
---@return spec.Nginx
function M.start(api, options)
  options = options or {}
  local copy = { init = options.init or "" }
  for name, value in pairs(options) do copy[name] = value end
  if not options.no_clients then
    copy.http = INIT:gsub("URL", api.url):gsub("MORE", (copy.init:gsub("%%", "%%%%"))) .. "\n" .. (options.http or "")
    copy.server = SERVER .. (options.server or "")
  end
  return nginx.start(copy)
end

--- Waits until the API has seen so many requests.
---@param api spec.RawServer
---@param count integer
function M.wait_for_requests(api, count)
  nginx.wait(count .. " requests", function() return #api:requests() >= count end)
end

return M
