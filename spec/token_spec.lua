-- How long a token is good for, and whose it is.
local token = require "devkit4ai.token"
local jwt = require("spec.support.jwt").of

local NOW = 1700000000
local HALF_AN_HOUR = 1800

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

describe("token.left", function()
  it("counts down to the end that was noted when the token came", function()
    assert.equal(600, token.left(NOW + 600, NOW))
  end)

  it("is nothing once that is past, also by a clock that is a year ahead now", function()
    assert.equal(0, token.left(NOW, NOW))
    assert.equal(0, token.left(NOW - 1, NOW))
    assert.equal(0, token.left(NOW + 600, NOW + 365 * 86400))
  end)

  it("is half an hour where it can't be true: the clock was a year ahead then", function()
    assert.equal(HALF_AN_HOUR, token.left(NOW + 365 * 86400, NOW))
    assert.equal(HALF_AN_HOUR, token.left(math.huge, NOW))
  end)
end)

describe("token.account", function()
  it("is the claim sub", function()
    assert.equal("user-1", token.account(jwt('{"sub":"user-1","exp":1}')))
  end)

  it("is nil for what names nobody", function()
    for _, text in ipairs {
      "", "opaque", "a.b.c", jwt("{}"), jwt('{"sub":""}'), jwt('{"sub":7}'), jwt('{"sub":null}'),
    } do
      assert.is_nil(token.account(text))
    end
  end)
end)

describe("token.ends", function()
  it("is the claim exp, whatever our clock says", function()
    assert.equal(1700000000, token.ends(jwt('{"exp":1700000000}')))
    assert.equal(5, token.ends(jwt('{"exp":5}')))
  end)

  it("is nil where there is none", function()
    for _, text in ipairs { "", "opaque", jwt("{}"), jwt('{"exp":"soon"}'), jwt('{"exp":"nan"}'), jwt('{"exp":{}}') } do
      assert.is_nil(token.ends(text))
    end
  end)
end)
