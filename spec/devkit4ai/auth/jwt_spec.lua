-- How long a token is valid, and its account.
local encode = require("spec.support.servers.jwt").of
local jwt = require "devkit4ai.auth.jwt"

local NOW = 1700000000
local HALF_AN_HOUR = 1800

describe("jwt.life", function()
  it("reads the end of a token, with any padding", function()
    for _, filler in ipairs { "", "a", "ab", "abc", "abcd" } do
      assert.equal(600, jwt.life(encode(('{"sub":"%s","exp":%d}'):format(filler, NOW + 600)), NOW))
    end
  end)

  it("reads letters of the URL-safe alphabet", function()
    assert.equal(600, jwt.life(encode(('{"sub":"\195\191\195\190?>~","exp":%d}'):format(NOW + 600)), NOW))
  end)

  it("is half an hour if the end is already past, as in the guide's samples", function()
    assert.equal(HALF_AN_HOUR, jwt.life(encode('{"exp":1702000000}'), 1750000000))
    assert.equal(HALF_AN_HOUR, jwt.life(encode(('{"exp":%d}'):format(NOW)), NOW))
  end)

  it("is half an hour if the end is more than eight days away", function()
    assert.equal(8 * 86400, jwt.life(encode(('{"exp":%d}'):format(NOW + 8 * 86400)), NOW))
    assert.equal(HALF_AN_HOUR, jwt.life(encode(('{"exp":%d}'):format(NOW + 8 * 86400 + 1)), NOW))
  end)

  it("is half an hour for a token that it can't read", function()
    for _, text in ipairs {
      "", "opaque", "a.b", "a.b.c", "..", encode("{}"), encode("[]"), encode("null"), encode('"x"'),
      encode('{"exp":"soon"}'),
      encode('{"exp":null}'), encode('{"exp":{}}'), encode('{"exp'), "\255\0.\255.\255",
    } do
      assert.equal(HALF_AN_HOUR, jwt.life(text, NOW))
    end
  end)
end)

describe("jwt.left", function()
  it("counts down to the stored end", function()
    assert.equal(600, jwt.left(NOW + 600, NOW))
  end)

  it("is 0 when that is past, also if the clock is a year ahead now", function()
    assert.equal(0, jwt.left(NOW, NOW))
    assert.equal(0, jwt.left(NOW - 1, NOW))
    assert.equal(0, jwt.left(NOW + 600, NOW + 365 * 86400))
  end)

  it("is half an hour if the stored end can't be true, because the clock was a year ahead", function()
    assert.equal(HALF_AN_HOUR, jwt.left(NOW + 365 * 86400, NOW))
    assert.equal(HALF_AN_HOUR, jwt.left(math.huge, NOW))
  end)
end)

describe("jwt.account", function()
  it("is the claim sub", function()
    assert.equal("user-1", jwt.account(encode('{"sub":"user-1","exp":1}')))
  end)

  it("is nil for a token without an account", function()
    for _, text in ipairs {
      "", "opaque", "a.b.c", encode("{}"), encode('{"sub":""}'), encode('{"sub":7}'), encode('{"sub":null}'),
    } do
      assert.is_nil(jwt.account(text))
    end
  end)
end)

describe("jwt.expires", function()
  it("is the claim exp, whatever this machine's clock says", function()
    assert.equal(1700000000, jwt.expires(encode('{"exp":1700000000}')))
    assert.equal(5, jwt.expires(encode('{"exp":5}')))
  end)

  it("is nil without that claim", function()
    for _, text in ipairs {
      "", "opaque", encode("{}"), encode('{"exp":"soon"}'), encode('{"exp":"nan"}'), encode('{"exp":{}}'),
    } do
      assert.is_nil(jwt.expires(text))
    end
  end)
end)
