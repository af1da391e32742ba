--- The API's own routes, for games and other programs that use this library as an end user: nginx passes their requests on,
--- with the studio's keys. A program has its user's tokens and no key.
local accounts = require "gateway.accounts"
local cjson = require "cjson.safe"
local failures = require "gateway.failures"
local router = require "gateway.router"

local M = {}

local GENERATION = "/generation/generations%-v2"
local ALLOWED = { -- below /api/v1; anything else is refused, such as what only the owner of the keys may do
  "^POST /auth/register$", "^POST /auth/login$", "^POST /auth/refresh$", "^GET /auth/me$",
  "^POST /generation/generate%-v2$",
  "^GET " .. GENERATION .. "$", "^GET " .. GENERATION .. "/[%x-]+/status$", "^DELETE " .. GENERATION .. "/[%x-]+$",
}

local function check(request)
  local route, found = ngx.req.get_method() .. " " .. ngx.var.uri:gsub("^/api/v1", ""), false
  for _, pattern in ipairs(ALLOWED) do found = found or route:find(pattern) ~= nil end
  -- nginx passes on the address as the program spelled it: another spelling may be another route at the API
  found = found and ngx.var.request_uri:match "^[^?]*" == ngx.var.uri
  if not found then failures.refuse(404, "There is nothing at this address.") end
  if not route:find "generate" then return end
  local token = (ngx.var.http_authorization or ""):match "^Bearer (%S+)$" or failures.refuse(401, "Log in first.")
  request.user = failures.try(router.project:end_user { access_token = token })
  accounts.count({ user_id = failures.try(request.user:me()).id }, "generations") -- the API has checked the token
end

--- Checks a request before nginx reads its body. nginx.conf gives it the headers that it must have at the API.
function M.check()
  local request = {}
  local done, err = pcall(check, request)
  if request.user then request.user:close() end
  if done then return end
  ngx.status, err = failures.describe(err)
  ngx.header.content_type = "application/json"
  ngx.say(cjson.encode { detail = err.error })
  return ngx.exit(ngx.HTTP_OK)
end

--- Removes a header of the response that has a key.
function M.hide_keys()
  for name, value in pairs(ngx.resp.get_headers()) do
    local text = type(value) == "table" and table.concat(value, "\n") or value
    local function has(key) return key ~= "" and text:find(key, 1, true) end
    if has(ngx.var.developer_key) or has(ngx.var.project_key) then ngx.header[name] = nil end
  end
end

return M
