--- JSON web tokens: the end and the account of a token, if they can be read. No other module reads a token.
local json = require "devkit4ai.util.json"
local locale = require "devkit4ai.util.locale"

local M = {}

local LIFE = 30 * 60 -- seconds; wire.md 2.2
local LONGEST = 8 * 86400 -- seconds; an `exp` that is later, or past already, is not used (wire.md 2.2)

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local VALUES = {}
for i = 1, #ALPHABET do VALUES[ALPHABET:sub(i, i)] = i - 1 end

local function decode_base64url(text)
  local bits, count, out = 0, 0, {}
  for letter in text:gmatch("[A-Za-z0-9_-]") do
    bits, count = bits * 64 + VALUES[letter], count + 6
    if count >= 8 then
      count = count - 8
      local byte = math.floor(bits / 2 ^ count)
      out[#out + 1] = string.char(byte)
      bits = bits - byte * 2 ^ count
    end
  end
  return table.concat(out)
end

local function claims_of(token)
  local payload = token:match("^[^.]+%.([A-Za-z0-9_-]+)%.")
  local ok, claims = json.decode(payload and decode_base64url(payload) or "")
  return ok and type(claims) == "table" and claims or {}
end

-- An end that is past or too far away shows a wrong clock, so the usual life counts.
local function plausible(left)
  if left <= 0 or left > LONGEST then return LIFE end
  return left
end

--- How long a token that came now is valid.
---@param token string a JWT, or anything
---@param now number seconds of Unix time
---@return number seconds
function M.life(token, now)
  return plausible((locale.number(claims_of(token).exp) or 0) - now)
end

--- How long a token that came earlier is still valid.
---@param expires number Unix time, by this machine's clock at that time
---@param now number Unix time
---@return number seconds 0: it has expired
function M.left(expires, now)
  local left = expires - now
  return left <= 0 and 0 or plausible(left)
end

--- The account of a token.
---@param token string a JWT, or anything
---@return string? account nil: it can't be read
function M.account(token)
  local sub = claims_of(token).sub
  return type(sub) == "string" and sub ~= "" and sub or nil
end

--- The end of a token by the server's clock. Of two tokens of an account, the newer one expires later.
---@param token string a JWT, or anything
---@return number? unix_time nil: it can't be read
function M.expires(token)
  local expires = locale.number(claims_of(token).exp)
  return expires == expires and expires or nil -- not NaN
end

return M
