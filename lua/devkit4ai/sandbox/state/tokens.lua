--- Access tokens and refresh tokens: JWTs signed with HS256 and a secret of the sandbox (wire.md 2.2).
local hmac = require "openssl.hmac"
local encoding = require "devkit4ai.sandbox.util.encoding"
local json = require "devkit4ai.sandbox.util.json"

local M = {}

---@class devkit4ai.sandbox.Tokens
---@field private _now fun(): number
---@field private _lifetimes { access: number, refresh: number }  seconds
---@field private _secret string
---@field private _claims table<string, table>  token -> its claims, of tokens with a valid signature; a cache
---@field private _cached integer  tokens in the cache
---@field private _records devkit4ai.sandbox.Records
---@field private _revoked table<string, boolean>
local Tokens = {}
Tokens.__index = Tokens

local HEADER = encoding.base64url_encode '{"alg":"HS256","typ":"JWT"}'
local CACHE_SIZE = 10000 -- tokens whose claims are cached, so that a request need not parse them again

---@param now fun(): number Unix time
---@param lifetimes { access: number, refresh: number } seconds
---@param secret string
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Tokens
function M.new(now, lifetimes, secret, records)
  local self = setmetatable({
    _now = now, _lifetimes = lifetimes, _secret = secret, _claims = {}, _cached = 0, _records = records, _revoked = {},
  }, Tokens)
  for token in records:each "revoked_token" do self._revoked[token] = true end
  return self
end

function Tokens:_sign(text)
  return encoding.base64url_encode(hmac.new(self._secret, "sha256"):final(text))
end

--- Makes a token. The documents have no jti; it makes two tokens of the same second differ.
---@param kind "access"|"refresh"
---@param user { id: string, project_id: string? }
---@param lifetime number? seconds, in place of the kind's
---@return string
function Tokens:issue(kind, user, lifetime)
  local schema = { "sub", "exp", "type", "jti", user.project_id and "project_id" or nil }
  local payload = json.encode_object(schema, {
    sub = user.id, exp = math.floor(self._now() + (lifetime or self._lifetimes[kind])), type = kind,
    jti = encoding.random_secret(), project_id = user.project_id,
  })
  local text = HEADER .. "." .. encoding.base64url_encode(payload)
  return text .. "." .. self:_sign(text)
end

-- The claims of a token with a valid signature; nil: no such token.
function Tokens:_verify_signature(token)
  local cached = self._claims[token]
  if cached then return cached end
  local text, payload, signature = token:match("^([%w%-_]+%.([%w%-_]+))%.([%w%-_]+)$")
  if not text or self:_sign(text) ~= signature then return nil end
  local claims = json.decode(encoding.base64url_decode(payload))
  if self._cached >= CACHE_SIZE then self._claims, self._cached = {}, 0 end
  self._claims[token], self._cached = claims, self._cached + 1
  return claims
end

--- Makes a token invalid before it expires.
---@param token string
function Tokens:revoke(token)
  self._revoked[token] = true
  self._records:put("revoked_token", token, {})
end

--- Checks a token.
---@param kind "access"|"refresh"
---@param token string
---@return string? user_id nil: forged, expired, revoked, or of the other kind
function Tokens:verify(kind, token)
  local claims = self:_verify_signature(token)
  if not claims or self._revoked[token] or claims.type ~= kind or claims.exp <= self._now() then return nil end
  return claims.sub
end

return M
