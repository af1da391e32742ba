--- Access and refresh tokens: JWTs signed with HS256 and a secret of this run (wire.md 2.2).
local hmac = require "openssl.hmac"
local rand = require "openssl.rand"
local encoding = require "devkit4ai.sandbox.encoding"
local json = require "devkit4ai.sandbox.json"

local M = {}
local Tokens = {}
Tokens.__index = Tokens

local HEADER = encoding.base64url '{"alg":"HS256","typ":"JWT"}'
local REMEMBERED = 10000 -- checked tokens whose claims are kept, so that a request does not parse them again

---@param clock fun(): number Unix time
---@param lives { access: number, refresh: number } seconds
function M.new(clock, lives)
  return setmetatable({ clock = clock, lives = lives, secret = rand.bytes(32), checked = {}, count = 0, spent = {} },
    Tokens)
end

function Tokens:sign(text)
  return encoding.base64url(hmac.new(self.secret, "sha256"):final(text))
end

--- A token for a user. jti is not in the documents: it keeps two tokens of one second apart.
---@param kind "access"|"refresh"
---@param user { id: string, project_id: string? }
---@param life number? seconds, in place of the kind's
---@return string
function Tokens:issue(kind, user, life)
  local form = { "sub", "exp", "type", "jti", user.project_id and "project_id" or nil }
  local payload = json.object(form, {
    sub = user.id, exp = math.floor(self.clock() + (life or self.lives[kind])), type = kind,
    jti = encoding.random_text(), project_id = user.project_id,
  })
  local text = HEADER .. "." .. encoding.base64url(payload)
  return text .. "." .. self:sign(text)
end

-- The claims of a token that this server signed, or nil.
function Tokens:claims(token)
  local known = self.checked[token]
  if known then return known end
  local text, payload, signature = token:match("^([%w%-_]+%.([%w%-_]+))%.([%w%-_]+)$")
  if not text or self:sign(text) ~= signature then return nil end
  local claims = json.decode(encoding.from_base64url(payload))
  if self.count >= REMEMBERED then self.checked, self.count = {}, 0 end
  self.checked[token], self.count = claims, self.count + 1
  return claims
end

--- Ends a token before its time.
---@param token string
function Tokens:spend(token)
  self.spent[token] = true
end

--- The id of the user whose token this is, or nil: forged, expired, spent, or of the other kind.
---@param kind "access"|"refresh"
---@param token string
---@return string?
function Tokens:check(kind, token)
  local claims = self:claims(token)
  if not claims or self.spent[token] or claims.type ~= kind or claims.exp <= self.clock() then return nil end
  return claims.sub
end

return M
