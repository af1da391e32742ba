--- Texts in the forms the API uses: base64url, hex, UUIDs, times, counted code points.
local rand = require "openssl.rand"

local M = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local LETTER, VALUE = {}, {}
for i = 0, 63 do
  LETTER[i] = ALPHABET:sub(i + 1, i + 1)
  VALUE[LETTER[i]] = i
end

--- Base64 with the URL-safe alphabet and no padding.
---@param bytes string
---@return string
function M.base64url(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    out[#out + 1] = LETTER[math.floor(n / 262144)] .. LETTER[math.floor(n / 4096) % 64]
      .. (b and LETTER[math.floor(n / 64) % 64] or "") .. (c and LETTER[n % 64] or "")
  end
  return table.concat(out)
end

--- The bytes of a base64url text, or nil where it is none.
---@param text string
---@return string?
function M.from_base64url(text)
  local out = {}
  for i = 1, #text, 4 do
    local n, letters = 0, math.min(4, #text - i + 1)
    if letters == 1 then return nil end
    for k = 0, 3 do
      local value = k < letters and VALUE[text:sub(i + k, i + k)] or 0
      if not value then return nil end
      n = n * 64 + value
    end
    local bytes = string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256)
    out[#out + 1] = bytes:sub(1, letters - 1)
  end
  return table.concat(out)
end

--- Lower-case hex of bytes.
---@param bytes string
---@return string
function M.hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

--- A random secret of 32 URL-safe characters: 24 bytes from a cryptographic source.
---@return string
function M.random_text()
  return M.base64url(rand.bytes(24))
end

--- A random UUID (version 4).
---@return string
function M.uuid()
  local h = M.hex(rand.bytes(16))
  local variant = ("89ab"):sub(tonumber(h:sub(17, 17), 16) % 4 + 1):sub(1, 1)
  return ("%s-%s-4%s-%s%s-%s"):format(h:sub(1, 8), h:sub(9, 12), h:sub(14, 16), variant, h:sub(18, 20), h:sub(21, 32))
end

local UUID = "^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

--- Whether a text has the form of a UUID.
---@param text any
---@return boolean
function M.is_uuid(text)
  return type(text) == "string" and text:find(UUID) ~= nil
end

--- A time as the documents write it: UTC, whole seconds, Z.
---@param seconds number Unix time
---@return string
function M.timestamp(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

-- Every well-formed UTF-8 sequence of two bytes and more (RFC 3629: no surrogates, nothing above U+10FFFF).
local SEQUENCES = {
  "[\194-\223][\128-\191]",
  "\224[\160-\191][\128-\191]", "[\225-\236][\128-\191][\128-\191]",
  "\237[\128-\159][\128-\191]", "[\238-\239][\128-\191][\128-\191]",
  "\240[\144-\191][\128-\191][\128-\191]", "[\241-\243][\128-\191][\128-\191][\128-\191]",
  "\244[\128-\143][\128-\191][\128-\191]",
}

--- How many code points a text has, or nil where it is not UTF-8.
---@param text string
---@return integer?
function M.code_points(text)
  if not text:find("[\128-\255]") then return #text end
  for _, sequence in ipairs(SEQUENCES) do text = text:gsub(sequence, "x") end
  if text:find("[\128-\255]") then return nil end
  return #text
end

-- Where the well-formed characters that begin at a place end; nil where none begins there.
local function end_of_characters(text, at)
  local after = text:match("^[^\128-\255]+()", at)
  for i = 1, after and 0 or #SEQUENCES do
    after = after or text:match("^" .. SEQUENCES[i] .. "()", at)
  end
  return after
end

--- A text as UTF-8: each byte that is part of no character is written as \xE9.
---@param text string
---@return string
function M.visible(text)
  if M.code_points(text) then return text end
  local out, at = {}, 1
  while at <= #text do
    local after = end_of_characters(text, at)
    out[#out + 1] = after and text:sub(at, after - 1) or ("\\x%02X"):format(text:byte(at))
    at = after or at + 1
  end
  return table.concat(out)
end

return M
