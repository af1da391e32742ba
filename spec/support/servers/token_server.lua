-- A raw server with a model of tokens: a refresh token is valid once. For specs that check which client refreshed
-- which token.
local raw = require "spec.support.servers.raw"

local M = {}

-- With `jwt`, access tokens are JWTs with account and expiry, else opaque. Access and refresh tokens are
-- numbered. REFRESH runs at a refresh, before its response.
local SCRIPT = [[
  local jwt = require "jwt"
  local issued, good, valid = 0, {}, {} -- number of the last pair; access token -> account; refresh token -> account
  local function pair_of(account)
    issued = issued + 1
    local payload = ('{"sub":"%s","exp":%d,"n":%d}'):format(account, os.time() + LIFE + issued, issued)
    local access = JWT and jwt.of(payload) or "access-" .. issued
    local refresh = "refresh-" .. issued
    good, valid[refresh] = KEEP and good or {}, account
    good[access] = account
    return { access_token = access, refresh_token = refresh }
  end
  valid["refresh-0"] = "someone"
  return function(conn)
    local request = conn:read_request()
    while request do
      local name = request.target:match("[^/]+$")
      local token = request.head:match("Authorization: Bearer ([^\r\n]*)")
      if name == "login" then
        conn:respond(200, pair_of(request.body:match('"email":"([^"]*)"')))
      elseif name == "refresh" then
        local sent = request.body:match('"refresh_token":"([^"]*)"')
        local account = valid[sent]
        valid[sent] = nil
        REFRESH
        conn:respond(account and 200 or 401, account and pair_of(account) or { detail = "no" })
      elseif good[token] then
        conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", email = good[token] })
      else
        conn:respond(401, { detail = "Could not validate credentials" })
      end
      request = conn:read_request()
    end
  end
]]

--- Starts a server.
---@param options table? refresh: Lua for REFRESH; jwt: readable tokens; life: their seconds; keep: old access tokens stay valid
---@return spec.RawServer
function M.start(options)
  options = options or {}
  local values = { REFRESH = options.refresh or "", JWT = tostring(options.jwt or false),
    LIFE = tostring(options.life or 1800), KEEP = tostring(options.keep or false) }
  return raw.start { script = (SCRIPT:gsub("%f[%u]%u%u%u+%f[%U]", values)) }
end

--- The requests in order, by name; a refresh with its token: "login, me, refresh refresh-1".
---@param server spec.RawServer
---@return string
function M.seen(server)
  local list = {}
  for i, request in ipairs(server:requests()) do
    local token = request.body:match('"refresh_token":"([^"]*)"')
    list[i] = request.target:match("[^/]+$") .. (token and " " .. token or "")
  end
  return table.concat(list, ", ")
end

return M
