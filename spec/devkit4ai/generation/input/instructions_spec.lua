-- The instructions that are sent with the images.
local cjson = require "cjson"
local instructions = require "devkit4ai.generation.input.instructions"

local FRAME = #'{"prompt":""}' -- characters around a prompt

describe("instructions.length", function()
  it("counts characters, not bytes", function()
    for text, count in pairs {
      [""] = 0, a = 1, ["\195\188"] = 1, ["\226\130\172"] = 1, ["\240\159\143\153"] = 1, ["z\195\188rich"] = 6,
      ["\127\194\128\223\191\224\160\128\239\191\191\240\144\128\128\244\143\191\191"] = 7,
    } do
      assert.equal(count, instructions.length(text))
    end
  end)

  it("returns the position of the first byte that is not UTF-8", function()
    for _, row in ipairs {
      { "\128", 1 }, { "a\255", 2 }, { "ab\195", 3 }, { "\195a", 1 }, { "a\226\130", 2 }, { "\240\159\143", 1 },
      { "\192\175", 1 }, { "\193\191", 1 }, -- overlong forms of ASCII
      { "\224\159\191", 1 }, { "\240\143\191\191", 1 }, -- overlong
      { "\237\160\128", 1 }, -- a surrogate
      { "\244\144\128\128", 1 }, { "\245\128\128\128", 1 }, -- above U+10FFFF
    } do
      local count, at = instructions.length(row[1])
      assert.is_nil(count)
      assert.equal(row[2], at)
    end
  end)
end)

describe("instructions.encode", function()
  it("wraps a prompt", function()
    assert.equal('{"prompt":"neon"}', instructions.encode("neon"))
  end)

  it("keeps the other keys of a table", function()
    assert.same({ prompt = "neon", style = "noir", mood = { "calm" } },
      cjson.decode(instructions.encode { prompt = "neon", style = "noir", mood = { "calm" } }))
  end)

  it("accepts 1,000 characters of JSON, and refuses 1,001 with the count", function()
    assert.equal(1000, #assert(instructions.encode(("x"):rep(1000 - FRAME))))
    local text, why = instructions.encode(("x"):rep(1001 - FRAME))
    assert.is_nil(text)
    assert.matches("1001 characters", why)
    assert.matches("at most 1000", why)
  end)

  it("counts multibyte characters as one each", function()
    assert(instructions.encode(("\226\130\172"):rep(1000 - FRAME)))
    local text, why = instructions.encode(("\226\130\172"):rep(1001 - FRAME))
    assert.is_nil(text)
    assert.matches("1001 characters", why)
  end)

  it("does not escape '/', which would count twice", function()
    assert.equal(1000, #assert(instructions.encode(("/"):rep(1000 - FRAME))))
  end)

  it("counts an escape as it is sent", function()
    assert(instructions.encode(('"'):rep((1000 - FRAME - 1) / 2)))
    assert.is_nil((instructions.encode(('"'):rep((1002 - FRAME - 1) / 2))))
  end)

  it("refuses instructions without a prompt", function()
    for _, given in ipairs { "", " \t\n", {}, { prompt = "" }, { prompt = 5 }, { style = "noir" }, { "neon" } } do
      local text, why = instructions.encode(given)
      assert.is_nil(text)
      assert.matches("prompt is empty", why)
    end
  end)

  it("refuses a text that is not UTF-8, and names the byte", function()
    local text, why = instructions.encode("neon \255")
    assert.is_nil(text)
    assert.matches("UTF%-8", why)
    assert.matches("byte " .. #'{"prompt":"neon ' + 1 .. " ", why)
  end)

  it("refuses a value that JSON can't represent", function()
    local text, why = instructions.encode { prompt = "neon", seed = print }
    assert.is_nil(text)
    assert.matches("JSON", why)
  end)
end)
