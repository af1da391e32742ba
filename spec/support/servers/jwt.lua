-- JWTs like those of the server, without a valid signature. Independent of the parser under test.
local M = {}

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

--- Base64url without padding.
function M.base64url(text)
  local bits = text:gsub(".", function(byte)
    local out, n = "", byte:byte()
    for i = 7, 0, -1 do out = out .. (n % 2 ^ (i + 1) >= 2 ^ i and "1" or "0") end
    return out
  end)
  bits = bits .. ("0"):rep(-#bits % 6)
  return (bits:gsub("......", function(six)
    local at = tonumber(six, 2) + 1
    return LETTERS:sub(at, at)
  end))
end

--- A token with the given claims.
---@param payload string JSON
function M.of(payload)
  return M.base64url('{"alg":"HS256"}') .. "." .. M.base64url(payload) .. ".signature"
end

return M
