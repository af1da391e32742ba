--- Generations for the consumers of a gateway, with the studio's account. Both plugins, for Kong and for APISIX, use this
--- module. The gateway has authenticated the consumer before. Keys and tokens never leave the gateway.
---
---   POST .../generate?prompt=TEXT   the body is one image   202: { id, status }
---   GET .../generations/ID                                  200: { id, status, image_url, error }
---
--- Only the consumer that created a generation can ask for it: its id has a signature.
local devkit4ai = require "devkit4ai"
local lrucache = require "resty.lrucache"
local semaphore = require "ngx.semaphore"

local M = {}

--- The fields of a plugin's configuration. All of them are texts.
M.FIELDS = { "base_url", "project_id", "project_key", "developer_key", "email", "password" }

local MOST_ACCOUNTS = 20 -- that differ, in one worker
local LOGIN_TIME = 30 -- seconds that a request waits for the login of another one

-- By kind of error: status and text for the consumer. The log of nginx has the library's message.
local FAILURES = {
  invalid = { 422, "The image or the prompt was not accepted" },
  not_found = { 404, "There is no such generation" },
  rate_limited = { 429, "There are too many requests. Try again later" },
}
local LOST = { 502, "The connection to the image service was lost. The generation may be running" }
local OTHER = { 502, "The image service is not available" }

-- ---- the studio's account ----

-- The accounts of this worker, by the content of the configuration. The configuration's table is not the key: Kong puts a
-- rotated secret into the same table, and APISIX may copy the table for each consumer.
local accounts = lrucache.new(MOST_ACCOUNTS)

local function account_of(conf)
  local values = {}
  for i, name in ipairs(M.FIELDS) do values[i] = conf[name] end
  local key = table.concat(values, "\n")
  local account = accounts:get(key)
  if account then return account end
  local client, message, err = devkit4ai.new {
    base_url = conf.base_url, project_id = conf.project_id, project_key = conf.project_key,
    developer_key = conf.developer_key,
  }
  if not client then return nil, message, err end
  account = {
    client = client, project = client:project(), turn = semaphore.new(1),
    email = conf.email, password = conf.password,
  }
  accounts:set(key, account)
  return account
end

-- Logs in if this worker has no session. Requests that need a login at the same time share it.
local function log_in(account)
  if account.client:tokens() then return true end
  account.turn:wait(LOGIN_TIME) -- then without its turn: the request before it may have been killed
  local done, message, err = account.client:tokens()
  if not done then done, message, err = account.client:login(account.email, account.password) end
  account.turn:post(1)
  return done, message, err
end

-- Runs fn(project) in a session. A session can end at any call; then the API has refused it, and fn runs again.
local function in_session(conf, fn)
  local account, message, err = account_of(conf)
  if not account then return nil, message, err end
  local value
  for _ = 1, 2 do
    value, message, err = log_in(account)
    if not value then break end
    value, message, err = fn(account.project)
    if value or err.kind ~= "auth" then break end
  end
  return value, message, err
end

-- ---- ids ----

local function hex(byte)
  return ("%02x"):format(byte:byte())
end

local function sign(conf, consumer, id)
  return id .. "." .. ngx.hmac_sha1(conf.project_key, consumer .. " " .. id):gsub(".", hex)
end

-- The API's id in a consumer's id. nil: it is not an id of this consumer.
local function verify(conf, consumer, signed)
  local id = signed:match("^([%x-]+)%.%x+$")
  return id and sign(conf, consumer, id) == signed and id or nil
end

-- ---- answers ----

local function failed(err)
  local row = FAILURES[err.kind] or err.outcome == "unknown" and LOST or OTHER
  if row[1] >= 500 then ngx.log(ngx.ERR, err.message) end
  local text = row[2] .. (row[1] == 422 and err.detail and ": " .. err.detail or ".")
  return row[1], { message = text }, err.retry_after and { ["Retry-After"] = math.ceil(err.retry_after) }
end

-- The body of the request. nginx has written a large one to a file, which stays there until the request ends.
local function image_of_body()
  ngx.req.read_body()
  local data = ngx.req.get_body_data()
  return data and { data = data, filename = "image" } or ngx.req.get_body_file()
end

local function create(conf, consumer)
  local image, prompt = image_of_body(), ngx.req.get_uri_args().prompt
  if not image or type(prompt) ~= "string" then
    return 422, { message = "Send an image as the body, and ?prompt=TEXT." }
  end
  local gen, _, err = in_session(conf, function(project)
    return project:generate { images = { image }, prompt = prompt }
  end)
  if not gen then return failed(err) end
  return 202, { id = sign(conf, consumer, gen.id), status = gen.status }
end

local function show(conf, consumer, signed)
  local id = verify(conf, consumer, signed)
  if not id then return failed { kind = "not_found" } end
  local gen, _, err = in_session(conf, function(project) return project:generation(id):refresh() end)
  if not gen then return failed(err) end
  return 200, { id = signed, status = gen.status, image_url = gen.image_url, error = gen.error }
end

--- Answers the current request. It waits, so call it in the access phase.
---@param conf table see FIELDS
---@param consumer string? a name that no two consumers have
---@return integer status
---@return table body for JSON
---@return table<string, any>? headers
function M.answer(conf, consumer)
  if not consumer then return 401, { message = "Add an authentication plugin to this route." } end
  local method, path = ngx.req.get_method(), ngx.var.uri
  if method == "POST" and path:find("/generate$") then return create(conf, consumer) end
  local signed = method == "GET" and path:match("/generations/([^/]+)$")
  if signed then return show(conf, consumer, signed) end
  return 404, { message = "There is POST /generate, and GET /generations/ID." }
end

return M
