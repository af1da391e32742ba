-- Names of results.
local names = require "devkit4ai.batch.jobs.name"

describe("the name of a result", function()
  it("may have letters of any script, digits, spaces, dots and dashes", function()
    for _, name in ipairs {
      "paris.png", "0001.png", "São Paulo, 2026 (draft).png", "a", "東京.png", "console.png", "journal.png",
    } do
      assert.is_nil(names.problem(name))
    end
  end)

  it("is refused if it is no name of one file in the folder, on any system", function()
    for name, expected in pairs {
      [""] = "it is empty", ["a/b.png"] = "the character /", ["../a.png"] = "the character /",
      ["a\\b.png"] = "the character \\", [".."] = "begins with a dot", [".hidden.png"] = "begins with a dot",
      [" a.png"] = "or a space", ["a.png."] = "ends with a dot",
      ["a\nb.png"] = "control character", ["a\0.png"] = "control character", ["a\127.png"] = "control character",
      ["a\194\133.png"] = "control character",
      ["a:b.png"] = "the character :", ["what?.png"] = "the character ?", ["Z\252rich.png"] = "not UTF-8",
      [("x"):rep(256)] = "it has 256 bytes; at most 255", [("é"):rep(128)] = "it has 256 bytes; at most 255",
    } do
      local why = names.problem(name)
      assert.is_string(why, name)
      assert.truthy(why:find("can't be used: ", 1, true) and why:find(expected, 1, true), why)
    end
  end)

  it("is refused if another file has it", function()
    for _, name in ipairs {
      "journal.jsonl", "Journal.JSONL", "journal.jsonl.lock", "index.html", "INDEX.html", "index.html.part",
      "devkit4ai-unfinished-1",
      "con", "CON.png", "nul.tar.gz", "Com1.png", "lpt9",
    } do
      assert.is_string(names.problem(name), name)
    end
  end)

  it("is shown in one line", function()
    assert.equal("the name a\\nb can't be used: it has a control character", names.problem "a\nb")
  end)

  it("is the same as one with letters in another case", function()
    assert.equal(names.fold "Paris.PNG", names.fold "paris.png")
  end)
end)
