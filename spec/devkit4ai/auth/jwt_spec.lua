-- How long a token is good for, and whose it is.
local encode = require("spec.support.jwt").of
local jwt = require "devkit4ai.auth.jwt"

local NOW = 1700000000
local HALF_AN_HOUR = 1800

describe("token.life", function()
  it("reads the end out of a token, whatever the padding", function()
    for _, filler in ipairs { "", "a", "ab", "abc", "abcd" } do
      assert.equal(600, jwt.life(encode(('{"sub":"%s","exp":%d}'):format(filler, NOW + 600)), NOW))
    end
  end)

  it("reads letters that only the alphabet for URLs has", function()
    assert.equal(600, jwt.life(encode(('{"sub":"\195\191\195\190?>~","exp":%d}'):format(NOW + 600)), NOW))
  end)

  it("counts half an hour where the end is past already, as in the guide's samples", function()
    assert.equal(HALF_AN_HOUR, jwt.life(encode('{"exp":1702000000}'), 1750000000))
    assert.equal(HALF_AN_HOUR, jwt.life(encode(('{"exp":%d}'):format(NOW)), NOW))
  end)

  it("counts half an hour where the end is more than eight days away", function()
    assert.equal(8 * 86400, jwt.life(encode(('{"exp":%d}'):format(NOW + 8 * 86400)), NOW))
    assert.equal(HALF_AN_HOUR, jwt.life(encode(('{"exp":%d}'):format(NOW + 8 * 86400 + 1)), NOW))
  end)

  it("counts half an hour for what it can't read", function()
    for _, text in ipairs {
      "", "opaque", "a.b", "a.b.c", "..", encode("{}"), encode("[]"), encode("null"), encode('"x"'),
      encode('{"exp":"soon"}'),
      encode('{"exp":null}'), encode('{"exp":{}}'), encode('{"exp'), "\255\0.\255.\255",
    } do
      assert.equal(HALF_AN_HOUR, jwt.life(text, NOW))
    end
  end)
end)

describe("token.left", function()
  it("counts down to the end that was noted when the token came", function()
    assert.equal(600, jwt.left(NOW + 600, NOW))
  end)

  it("is nothing once that is past, also by a clock that is a year ahead now", function()
    assert.equal(0, jwt.left(NOW, NOW))
    assert.equal(0, jwt.left(NOW - 1, NOW))
    assert.equal(0, jwt.left(NOW + 600, NOW + 365 * 86400))
  end)

  it("is half an hour where it can't be true: the clock was a year ahead then", function()
    assert.equal(HALF_AN_HOUR, jwt.left(NOW + 365 * 86400, NOW))
    assert.equal(HALF_AN_HOUR, jwt.left(math.huge, NOW))
  end)
end)

describe("token.account", function()
  it("is the claim sub", function()
    assert.equal("user-1", jwt.account(encode('{"sub":"user-1","exp":1}')))
  end)

  it("is nil for what names nobody", function()
    for _, text in ipairs {
      "", "opaque", "a.b.c", encode("{}"), encode('{"sub":""}'), encode('{"sub":7}'), encode('{"sub":null}'),
    } do
      assert.is_nil(jwt.account(text))
    end
  end)
end)

describe("token.ends", function()
  it("is the claim exp, whatever our clock says", function()
    assert.equal(1700000000, jwt.ends(encode('{"exp":1700000000}')))
    assert.equal(5, jwt.ends(encode('{"exp":5}')))
  end)

  it("is nil where there is none", function()
    for _, text in ipairs {
      "", "opaque", encode("{}"), encode('{"exp":"soon"}'), encode('{"exp":"nan"}'), encode('{"exp":{}}'),
    } do
      assert.is_nil(jwt.ends(text))
    end
  end)
end)
