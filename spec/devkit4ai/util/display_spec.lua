-- Untrusted text in messages, logs and on terminals.
local display = require "devkit4ai.util.display"

local BAD = "\239\191\189" -- U+FFFD

describe("display.text", function()
  for given, shown in pairs {
    ["plain text ~"] = "plain text ~", ["é日🎨"] = "é日🎨", [""] = "",
    ["\27[2J\7"] = "\\027[2J\\007", ["a\nb\rc\td\0e\127"] = "a\\nb\\rc\\td\\000e\\127",
    ["\194\155x\194\128"] = "\\u{9B}x\\u{80}", ["\194\160"] = "\194\160",
    ["\226\128\174a\226\129\166b\226\128\142c\216\156"] = "\\u{202E}a\\u{2066}b\\u{200E}c\\u{61C}",
    ["\226\128\168\239\187\191"] = "\\u{2028}\\u{FEFF}", ["\243\160\129\129"] = "\\u{E0041}",
    ["a\255b\194"] = "a" .. BAD .. "b" .. BAD, ["\237\160\189"] = BAD:rep(3), ["\192\175"] = BAD:rep(2),
    ["\244\144\128\128"] = BAD:rep(4), ["\226\130"] = BAD:rep(2),
  } do
    it(("shows %q"):format(given), function() assert.equal(shown, display.text(given)) end)
  end

  it("shows each control character as an escape", function()
    for byte = 0, 255 do
      local shown = display.text("a" .. string.char(byte) .. "b")
      assert.is_nil(shown:find("[%z\1-\31\127]"), byte)
    end
    for byte = 128, 159 do assert.is_nil(display.text("\194" .. string.char(byte)):find("\194", 1, true)) end
  end)

  it("limits the length, splits no character, and tells the number of missing bytes", function()
    assert.equal(("x"):rep(1000), display.text(("x"):rep(1000)))
    assert.equal(("x"):rep(1000) .. "... (1 bytes more)", display.text(("x"):rep(1001)))
    assert.equal("ab... (4 bytes more)", display.text("abécd", 3))
    assert.equal("... (3 bytes more)", display.text("\27\27\27", 3))
    assert.is_true(#display.text(("\27"):rep(3 * 1024 * 1024)) < 1100)
  end)
end)

describe("display.json", function()
  it("keeps the meaning, and escapes characters that a terminal executes", function()
    local cjson = require "cjson"
    for _, text in ipairs { "é日🎨", "a\194\155b\226\128\174", "\243\160\129\129", "plain", "\27\7\127" } do
      local shown = display.json(cjson.encode { text })
      assert.equal(text, cjson.decode(shown)[1])
      assert.is_nil(shown:find("[%z\1-\31\127]") or shown:find("\194[\128-\159]") or shown:find("\226\128\174"))
    end
    assert.equal('"' .. BAD .. '"', display.json '"\155"')
  end)
end)

describe("display.lines", function()
  it("keeps line feeds and tabs, and escapes other control characters", function()
    assert.equal("a\n\tb\\027\\r\n", display.lines "a\n\tb\27\r\n")
    assert.equal(("x"):rep(5000), display.lines(("x"):rep(5000)))
  end)
end)
