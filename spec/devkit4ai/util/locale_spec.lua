-- Conversions that ignore the locale; spec/regress/0050_locales_spec.lua runs them in other locales.
local locale = require "devkit4ai.util.locale"

describe("locale", function()
  it("changes the case of ASCII letters only", function()
    local every = {}
    for byte = 0, 255 do every[#every + 1] = string.char(byte) end
    every = table.concat(every)
    for i = 1, #every do
      local char = every:sub(i, i)
      local is_upper, is_lower = char >= "A" and char <= "Z" and i < 129, char >= "a" and char <= "z" and i < 129
      assert.equal(is_upper and string.char(i - 1 + 32) or char, locale.lower(char))
      assert.equal(is_lower and string.char(i - 1 - 32) or char, locale.upper(char))
    end
  end)

  it("reads decimal numbers", function()
    for text, number in pairs {
      ["0"] = 0, ["12"] = 12, ["-3"] = -3, ["+4"] = 4, ["1.5"] = 1.5, [" 0.25\t"] = 0.25, ["7."] = 7,
      ["0.123456"] = 0.123456,
    } do
      assert.equal(number, locale.number(text))
    end
    for _, value in ipairs { "", "x", "1,5", "0x10", "1e3", "inf", "nan", "1 2", {}, true } do
      assert.is_nil(locale.number(value))
    end
    assert.equal(2.5, locale.number(2.5))
    assert.is_nil(locale.number(nil))
  end)

  it("writes numbers with a decimal point", function()
    assert.equal("0.25", locale.format("%.14g", 0.25))
    assert.equal("3", locale.format("%g", 3))
  end)
end)
