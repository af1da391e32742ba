--- When a token ends and whose it is, as far as that can be read; nobody else looks into a token.
local json = require "devkit4ai.util.json"
local locale = require "devkit4ai.util.locale"

local M = {}

local LIFE = 30 * 60 -- seconds; wire.md 2.2
local LONGEST = 8 * 86400 -- seconds; an `exp` past this, or past already, is no time to go by (wire.md 2.2)

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local VALUE = {}
for i = 1, #ALPHABET do VALUE[ALPHABET:sub(i, i)] = i - 1 end

local function decode_base64url(text)
  local bits, count, out = 0, 0, {}
  for letter in text:gmatch("[A-Za-z0-9_-]") do
    bits, count = bits * 64 + VALUE[letter], count + 6
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

-- an end that is past or too far away is no time to go by: the server's clock, or ours, is wrong
local function plausible(left)
  if left <= 0 or left > LONGEST then return LIFE end
  return left
end

--- How long a token that came just now is good for.
---@param token string a JWT, or anything
---@param now number seconds of Unix time
---@return number seconds
function M.life(token, now)
  return plausible((locale.number(claims_of(token).exp) or 0) - now)
end

--- How long a token is good for that came some time ago.
---@param ends number Unix time, by our clock at that time
---@param now number Unix time
---@return number seconds 0: it has ended
function M.left(ends, now)
  local left = ends - now
  return left <= 0 and 0 or plausible(left)
end

--- Whose the token is.
---@param token string a JWT, or anything
---@return string? account nil: it can't be read
function M.account(token)
  local sub = claims_of(token).sub
  return type(sub) == "string" and sub ~= "" and sub or nil
end

--- Its end, by the server's clock: of two tokens of an account, the newer one's is later.
---@param token string a JWT, or anything
---@return number? unix_time nil: it can't be read
function M.ends(token)
  local ends = locale.number(claims_of(token).exp)
  return ends == ends and ends or nil
end

return M
