--- Text encodings: base64url, hex, UUIDs, ISO 8601 timestamps and UTF-8.
local rand = require "openssl.rand"

local M = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local LETTERS, VALUES = {}, {}
for i = 0, 63 do
  LETTERS[i] = ALPHABET:sub(i + 1, i + 1)
  VALUES[LETTERS[i]] = i
end

--- Encodes bytes as base64url without padding.
---@param bytes string
---@return string
function M.base64url_encode(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    out[#out + 1] = LETTERS[math.floor(n / 262144)] .. LETTERS[math.floor(n / 4096) % 64]
      .. (b and LETTERS[math.floor(n / 64) % 64] or "") .. (c and LETTERS[n % 64] or "")
  end
  return table.concat(out)
end

--- Decodes a base64url text.
---@param text string
---@return string? bytes nil: the text is not base64url
function M.base64url_decode(text)
  local out = {}
  for i = 1, #text, 4 do
    local n, letters = 0, math.min(4, #text - i + 1)
    if letters == 1 then return nil end
    for k = 0, 3 do
      local value = k < letters and VALUES[text:sub(i + k, i + k)] or 0
      if not value then return nil end
      n = n * 64 + value
    end
    local bytes = string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256)
    out[#out + 1] = bytes:sub(1, letters - 1)
  end
  return table.concat(out)
end

--- Encodes bytes as lower-case hex.
---@param bytes string
---@return string
function M.hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

--- Makes a random secret of 32 URL-safe characters, from 24 bytes of a cryptographic source.
---@return string
function M.random_secret()
  return M.base64url_encode(rand.bytes(24))
end

--- Makes a random UUID (version 4).
---@return string
function M.new_uuid()
  local h = M.hex(rand.bytes(16))
  local variant = ("89ab"):sub(tonumber(h:sub(17, 17), 16) % 4 + 1):sub(1, 1)
  return ("%s-%s-4%s-%s%s-%s"):format(h:sub(1, 8), h:sub(9, 12), h:sub(14, 16), variant, h:sub(18, 20), h:sub(21, 32))
end

local UUID = "^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

--- Tells whether a value is the text of a UUID.
---@param value any
---@return boolean
function M.is_uuid(value)
  return type(value) == "string" and value:find(UUID) ~= nil
end

--- Formats a time as the documents do: UTC, whole seconds, Z.
---@param seconds number Unix time
---@return string
function M.timestamp(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

-- The well-formed UTF-8 sequences of two or more bytes (RFC 3629: no surrogates, nothing above U+10FFFF).
local SEQUENCES = {
  "[\194-\223][\128-\191]",
  "\224[\160-\191][\128-\191]", "[\225-\236][\128-\191][\128-\191]",
  "\237[\128-\159][\128-\191]", "[\238-\239][\128-\191][\128-\191]",
  "\240[\144-\191][\128-\191][\128-\191]", "[\241-\243][\128-\191][\128-\191][\128-\191]",
  "\244[\128-\143][\128-\191][\128-\191]",
}

--- Counts the code points of a text.
---@param text string
---@return integer? count nil: the text is not UTF-8
function M.count_code_points(text)
  if not text:find("[\128-\255]") then return #text end
  for _, sequence in ipairs(SEQUENCES) do text = text:gsub(sequence, "x") end
  if text:find("[\128-\255]") then return nil end
  return #text
end

-- The position after the well-formed characters at a position; nil: no well-formed character is there.
local function end_of_characters(text, at)
  local after = text:match("^[^\128-\255]+()", at)
  for i = 1, after and 0 or #SEQUENCES do
    after = after or text:match("^" .. SEQUENCES[i] .. "()", at)
  end
  return after
end

--- Makes a text valid UTF-8: each byte that is not part of a character becomes \xE9, for example.
---@param text string
---@return string
function M.escape_invalid_utf8(text)
  if M.count_code_points(text) then return text end
  local out, at = {}, 1
  while at <= #text do
    local after = end_of_characters(text, at)
    out[#out + 1] = after and text:sub(at, after - 1) or ("\\x%02X"):format(text:byte(at))
    at = after or at + 1
  end
  return table.concat(out)
end

return M
