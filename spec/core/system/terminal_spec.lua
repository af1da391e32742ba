-- What the core tells of terminals, where there is none.
local child = require "spec.support.process.child"

describe("core", function()
  it("tells no terminal, and asks on none", function()
    local ended = child.run [[
      local core = require "devkit4ai.core"
      print(core.terminal(0), core.terminal(1), (core.terminal(-1)))
      print(core.ask("Key: ", false))
      core.pause(0.001)
      core.prepare()
      print(pcall(core.terminal), pcall(core.ask))
    ]]
    assert.equal(0, ended.code, ended.err)
    local lines = {}
    for line in ended.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal("nil\tnil\tnil", lines[1])
    assert.matches("^nil\tfile\tstandard input: ", lines[2])
    assert.matches("^false\tfalse\t", lines[3])
    assert.equal("", ended.err)
  end)
end)
