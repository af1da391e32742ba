-- The README's first screen is what runs: its lines are an example's, and the commands it names exist.
local child = require "spec.support.child"

local README = child.read "README.md"

-- The first block of a language.
local function block(language)
  return assert(README:match("\n```" .. language .. "\n(.-)```"), "no block of " .. language)
end

describe("the README's first lines", function()
  it("are those of an example", function()
    local code = block "lua"
    local name = assert(README:match("examples/[%w_]+%.lua"))
    assert.is_truthy(child.read(name):find(code, 1, true), name)
  end)

  it("put a picture on disk", function()
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local ended = child.run(block "lua" :gsub('save "cityscape.png"', "save(arg[1])"):gsub("gen:wait {",
      "(function() require('devkit4ai.poll').pause = function() return 0.1 end return gen end)():wait {")
      :gsub("%.start%(%)", ".start { step_time = 0.1 }"), { args = { folder .. "/cityscape.png" } })
    assert.equal(0, ended.code, ended.err)
    assert.equal("\137PNG", child.read(folder .. "/cityscape.png"):sub(1, 4))
    assert.matches("completed", ended.out)
  end)
end)

describe("the README", function()
  it("names files that are there", function()
    for path in README:gmatch("[%w_/]+%.%l+") do
      if path:find("^spec/") or path:find("^docs/") or path:find("^examples/") or path:find("^include/") then
        assert.is_truthy(io.open(path), path)
      end
    end
  end)

  it("names C tests that are there", function()
    for list in README:gmatch("c=([%w_,]+)") do
      for name in list:gmatch("[^,]+") do assert.is_truthy(io.open("spec/core/" .. name .. ".c"), name) end
    end
  end)

  it("names targets that the Makefile has", function()
    local makefile = child.read "Makefile"
    for target in README:gmatch("[\n`]make (%l[%l-]+)") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), target)
    end
  end)
end)
