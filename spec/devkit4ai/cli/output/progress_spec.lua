-- The progress bar fits the terminal.
local progress = require "devkit4ai.cli.output.progress"
local terminal_text = require "devkit4ai.cli.output.terminal_text"

describe("the progress bar", function()
  it("is at most as wide as the terminal", function()
    assert.equal("[####################....................] 0.5/1.0 MB", progress.bar(524288, 1048576, 80))
    assert.equal("[##..] 0.5/1.0 MB", progress.bar(524288, 1048576, 19):gsub("%[#+%.+%]", "[##..]"))
    for columns = 1, 200 do
      local _, taken = terminal_text.cut(progress.bar(300, 1000, columns), 1000)
      assert.is_true(taken < math.max(columns, 13))
    end
    assert.equal("5/9 B", progress.bar(5, 9, 10))
    assert.is_string(progress.bar(0, 0, 80))
  end)
end)
