-- The width of text on a terminal, and tables with aligned columns.
local terminal_text = require "devkit4ai.cli.output.terminal_text"

describe("terminal text", function()
  it("is cut to a number of columns, and no character in half", function()
    for _, row in ipairs {
      { "abc", 2, "ab", 2 }, { "äöü", 2, "äö", 2 }, { "日本", 3, "日", 2 }, { "🎨x", 3, "🎨x", 3 },
      { "e\204\129x", 1, "e\204\129", 1 },
      { "a\255b", 3, "a\239\191\189b", 3 },
      { "\226\130", 5, ("\239\191\189"):rep(2), 2 }, { "abc", 0, "", 0 }, { "", 5, "", 0 },
    } do
      assert.same({ row[3], row[4] }, { terminal_text.cut(row[1], row[2]) })
    end
  end)

  it("is aligned in columns", function()
    assert.same({ "a   1", "日  2" }, terminal_text.align({ { "a", "1" }, { "日", "2" } }))
    local row = { { "a", "long" } }
    assert.same({ "a", "a  lo" }, { terminal_text.align(row, 3)[1], terminal_text.align(row, 5)[1] })
    assert.same({ "an id  " .. "日" }, terminal_text.align({ { "an id", "日本" } }, 10))
    assert.same({ "an id" }, terminal_text.align({ { "an id", "long" } }, 2))
  end)
end)
