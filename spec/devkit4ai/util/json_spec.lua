-- JSON decoder and encoder.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"

local is_integer = math.type and function(number) return math.type(number) == "integer" end
  or function(number) return number % 1 == 0 end

for how, fields in pairs { next = next, ["the core's special fields"] = core.special_fields(json.SECRET_FIELDS) } do
  describe("json.decode with " .. how, function()
    local function decode(text) return json.decode(text, fields) end

    it("removes nulls at any depth", function()
      local ok, value = decode('{"a":null,"b":{"c":null,"d":1},"e":[{"f":null}]}')
      assert.is_true(ok)
      assert.same({ b = { d = 1 }, e = { {} } }, value)
    end)

    it("returns nil for a bare null", function()
      local ok, value = decode("null")
      assert.is_true(ok)
      assert.is_nil(value)
    end)

    it("converts whole numbers to integers, and keeps others", function()
      local _, value = decode('{"page":3,"deep":[{"n":7}],"share":0.5,"huge":1e300,"top":9007199254740992}')
      assert.is_true(is_integer(value.page))
      assert.is_true(is_integer(value.deep[1].n))
      assert.equal("3", tostring(value.page))
      assert.equal(0.5, value.share)
      assert.equal(1e300, value.huge)
      assert.equal(2 ^ 53, value.top)
    end)

    it("returns secrets apart, at any depth", function()
      local ok, value, secrets = decode('{"access_token":"A","refresh_token":"R","provisioning":{"api_key":"P",'
        .. '"developer_key":"D","project_id":"id"},"list":[{"key":"K","key_prefix":"pk"}]}')
      assert.is_true(ok)
      assert.same({ provisioning = { project_id = "id" }, list = { { key_prefix = "pk" } } }, value)
      assert.same({ access_token = "A", refresh_token = "R", api_key = "P", developer_key = "D", key = "K" }, secrets)
    end)

    it("prefers the nested form of a secret, in either order", function()
      for _, text in ipairs {
        '{"api_key":"flat","provisioning":{"api_key":"nested"}}',
        '{"provisioning":{"api_key":"nested"},"api_key":"flat"}',
      } do
        local _, _, secrets = decode(text)
        assert.equal("nested", secrets.api_key)
      end
    end)

    it("gives the reason for a text that is not JSON", function()
      for _, text in ipairs { "", "{", '{"id": ', "<html>", "{'a':1}", '{"a":1}}' } do
        local ok, why = decode(text)
        assert.is_false(ok)
        assert.is_string(why)
      end
    end)

    it("accepts 1000 levels, and rejects 1001", function()
      assert.is_true((decode(("["):rep(1000) .. ("]"):rep(1000))))
      local ok, why = decode(("["):rep(1001) .. ("]"):rep(1001))
      assert.is_false(ok)
      assert.matches("too many nested", why)
    end)

    it("does not change the shared cjson", function()
      local cjson = require "cjson"
      assert.equal(cjson.null, cjson.decode("[null]")[1])
      assert.is_true((pcall(cjson.decode, ("["):rep(500) .. ("]"):rep(500))))
    end)
  end)
end

describe("json.encode", function()
  it("writes an empty table as {}", function()
    assert.equal("{}", json.encode({}))
  end)

  it("does not escape '/', also after a backslash", function()
    assert.equal('{"a":"http://x/y"}', json.encode { a = "http://x/y" })
    assert.equal([[{"a":"\\/"}]], json.encode { a = [[\/]] })
    assert.equal([[{"a":"/\\"}]], json.encode { a = [[/\]] })
  end)

  it("writes whole numbers without a point", function()
    assert.equal('{"n":3}', json.encode { n = 3 })
    assert.equal('{"n":3}', json.encode { n = 6 / 2 })
  end)

  it("rejects a value that JSON can't hold, and gives the reason", function()
    for _, value in ipairs { { f = print }, { n = 0 / 0 }, { n = math.huge }, { 1, nil, 3 }, { [true] = 1 } } do
      local text, why = json.encode(value)
      assert.is_nil(text)
      assert.is_string(why)
    end
  end)

  it("rejects a table that contains itself", function()
    local loop = {}
    loop.loop = loop
    local text, why = json.encode(loop)
    assert.is_nil(text)
    assert.is_string(why)
  end)
end)
