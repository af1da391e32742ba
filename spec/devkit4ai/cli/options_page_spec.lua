-- docs/command-options.md has the help texts as the command prints them.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"

describe("docs/command-options.md", function()
  it("equals the output of tools/command-options", function()
    local pipe = assert(io.popen("DEVKIT4AI=devkit4ai tools/command-options -"))
    local generated = pipe:read "*a"
    pipe:close()
    assert.is_true(generated == child.read "docs/command-options.md", "it differs: run tools/command-options")
    local _, count = generated:gsub("\n## ", "")
    assert.is_true(count > 10, count)
  end)
end)
