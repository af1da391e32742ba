-- Quoting: a shell reads each word as it was.
local shell_quote = require "devkit4ai.cli.output.shell_quote"

describe("quoting", function()
  it("gives words that a shell reads as they were", function()
    assert.equal("a/b-c.png", shell_quote.word "a/b-c.png")
    for _, word in ipairs { "a b", "it's", "$(rm x)", "", "`x`", "a\nb", "*" } do
      local pipe = io.popen("printf %s " .. shell_quote.word(word))
      assert.equal(word, pipe:read "*a")
      pipe:close()
    end
  end)

  it("gives options with values that a shell reads as they were", function()
    for _, word in ipairs {
      "plain", "", " ", "-x", "--", "it's", 'a"b', "$HOME `id` \\d %s %%", "a\nb", "\t\27[31m'\\", "\194\133", "\127",
    } do
      local pipe = assert(io.popen("printf '<%s>' " .. shell_quote.option("-o", word)))
      assert.equal(word:find "^%-" and "<-o=" .. word .. ">" or "<-o><" .. word .. ">", pipe:read("*a"))
      pipe:close()
      assert.is_nil(shell_quote.word(word):find "%c")
    end
  end)
end)
