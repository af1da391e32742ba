-- How long an access token is good for.
local token = require "devkit4ai.token"

local NOW = 1700000000
local HALF_AN_HOUR = 1800

-- Base64 for URLs, by a table of bits: written apart from the one under test.
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local function base64url(text)
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

local function jwt(payload)
  return base64url('{"alg":"HS256"}') .. "." .. base64url(payload) .. ".signature"
end

describe("token.life", function()
  it("reads the end out of a token, whatever the padding", function()
    for _, filler in ipairs { "", "a", "ab", "abc", "abcd" } do
      assert.equal(600, token.life(jwt(('{"sub":"%s","exp":%d}'):format(filler, NOW + 600)), NOW))
    end
  end)

  it("reads letters that only the alphabet for URLs has", function()
    assert.equal(600, token.life(jwt(('{"sub":"\195\191\195\190?>~","exp":%d}'):format(NOW + 600)), NOW))
  end)

  it("counts half an hour where the end is past already, as in the guide's samples", function()
    assert.equal(HALF_AN_HOUR, token.life(jwt('{"exp":1702000000}'), 1750000000))
    assert.equal(HALF_AN_HOUR, token.life(jwt(('{"exp":%d}'):format(NOW)), NOW))
  end)

  it("counts half an hour where the end is more than eight days away", function()
    assert.equal(8 * 86400, token.life(jwt(('{"exp":%d}'):format(NOW + 8 * 86400)), NOW))
    assert.equal(HALF_AN_HOUR, token.life(jwt(('{"exp":%d}'):format(NOW + 8 * 86400 + 1)), NOW))
  end)

  it("counts half an hour for what it can't read", function()
    for _, text in ipairs {
      "", "opaque", "a.b", "a.b.c", "..", jwt("{}"), jwt("[]"), jwt("null"), jwt('"x"'), jwt('{"exp":"soon"}'),
      jwt('{"exp":null}'), jwt('{"exp":{}}'), jwt('{"exp'), "\255\0.\255.\255",
    } do
      assert.equal(HALF_AN_HOUR, token.life(text, NOW))
    end
  end)
end)
