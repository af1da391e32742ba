--- When an access token ends, as far as it can be read; nobody else looks into a token.
local json = require "devkit4ai.json"

local M = {}

local LIFE = 30 * 60 -- seconds; CONTRACT 2.2
local LONGEST = 8 * 86400 -- seconds; an `exp` past this, or past already, is no time to go by (CONTRACT 2.2)

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local VALUE = {}
for i = 1, #ALPHABET do VALUE[ALPHABET:sub(i, i)] = i - 1 end

local function decode_base64url(text)
  local bits, count, out = 0, 0, {}
  for letter in text:gmatch("[%w_-]") do
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

--- How long the token is good for.
---@param token string a JWT, or anything
---@param now number seconds of Unix time
---@return number seconds
function M.life(token, now)
  local payload = token:match("^[^.]+%.([%w_-]+)%.")
  local ok, claims = json.decode(payload and decode_base64url(payload) or "")
  local left = ok and type(claims) == "table" and tonumber(claims.exp) and tonumber(claims.exp) - now or 0
  if left <= 0 or left > LONGEST then return LIFE end
  return left
end

return M
