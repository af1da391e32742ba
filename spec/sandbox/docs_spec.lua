-- The lines of docs/sandbox.md about faults, the clock and the journal, run in their order as they stand there: Lua with
-- what it prints, curl with its exit code.
local child = require "spec.support.child"
local helper = require "spec.sandbox.helper"

-- The text under a heading, up to the next one.
local DOCS = child.read "docs/sandbox.md"

local function section(name)
  return assert(DOCS:match("\n## " .. name .. "\n(.-)\n## "), "no section " .. name)
end

local TEXT = section "Faults" .. section "The clock" .. section "The journal"

-- All blocks of a language, one after another.
local function blocks(language)
  local found = {}
  for block in TEXT:gmatch("\n```" .. language .. "\n(.-)```") do found[#found + 1] = block end
  assert.equal(3, #found)
  return table.concat(found)
end

describe("docs/sandbox.md", function()
  teardown(helper.stop_all)

  it("shows Lua that runs and prints what it says", function()
    local code, expected = blocks "lua", {}
    for line in code:gmatch("%-%-> ([^\n]*)\n") do expected[#expected + 1] = line end
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local sandbox = assert(require("devkit4ai.sandbox").start())
      local client = devkit4ai.new(assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" }))
      local project = client:projects()[1]
      local function print(...)
        local words = { ... }
        for i = 1, select("#", ...) do words[i] = tostring(words[i]) end
        io.write(table.concat(words, " "), "\n")
      end
    ]] .. code)
    assert.equal("", ended.err)
    assert.equal(table.concat(expected, "\n") .. "\n", ended.out)
  end)

  it("shows curl lines that run", function()
    local box = helper.start()
    local text = helper.shell("export DEVKIT4AI_BASE_URL=" .. box.url .. "\nset -ex\n{\n" .. blocks "sh" .. "} 2>&1\n"
      .. "echo fine")
    assert.truthy(text:find("\nfine\n$"), text)
    assert.same({}, box:faults())
  end)

  it("names every field of a fault", function()
    local ok, message = pcall(function()
      helper.start():fault { nonsense = true }
    end)
    assert.is_false(ok)
    for name in message:match("known: (.*)%)"):gmatch("[%w_]+") do
      assert.truthy(section "Faults" :find("\n| [^|]*`" .. name .. "[` ]"), name)
    end
  end)
end)
