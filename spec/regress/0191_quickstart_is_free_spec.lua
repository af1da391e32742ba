-- Of two quickstarts with the same --out, the slower one can't save. It said that its generation "is paid for", but the
-- sandbox is free.
local child = require "spec.support.process.child"

describe("devkit4ai quickstart", function()
  it("does not mention money if another program has created the file", function()
    if not child.runs_sandbox then return end
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local path = folder .. "/taken.png"
    assert(io.open(path, "wb")):close()
    -- the check at the start found no file
    local ended = child.run([[require("devkit4ai.cli.generation.output_file").check = function() return true end
      dofile "bin/devkit4ai"]], { args = { "quickstart", "--json", "--out", path } })
    assert.matches("taken.png: it exists already", ended.err)
    assert.is_nil((ended.out .. ended.err):find("paid", 1, true), ended.out .. ended.err)
  end)
end)
