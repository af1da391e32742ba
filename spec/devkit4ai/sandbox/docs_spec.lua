-- Runs the code of docs/sandbox.md as it is, in its order: Lua must print what the page says, curl must succeed.
-- spec/docs_spec.lua counts the blocks that say not-run.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

-- The text under a heading.
local DOCS = child.read "docs/sandbox.md"

local function section(name)
  return assert(DOCS:match("\n## " .. name .. "\n(.-)\n## "), "no section " .. name)
end

-- All blocks of a language.
local function blocks(language)
  local found = {}
  for block in DOCS:gmatch("\n```" .. language .. "\n(.-)```") do found[#found + 1] = block end
  return found
end

describe("docs/sandbox.md", function()
  teardown(helper.stop_all)

  it("has Lua code that prints what it says", function()
    local code, expected = "do " .. table.concat(blocks "lua", "end do ") .. "end", {}
    for line in code:gmatch("%-%-> ([^\n]*)\n") do expected[#expected + 1] = line end
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local sandbox = assert(require("devkit4ai.sandbox").start())
      local client = devkit4ai.new(assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" }))
      local project = client:projects()[1]
      local function start(given) return assert(require("devkit4ai.sandbox").start(given)):stop() end
      local function print(...)
        local texts = { ... }
        for i = 1, select("#", ...) do texts[i] = tostring(texts[i]) end
        io.write(table.concat(texts, " "), "\n")
      end
    ]] .. code)
    assert.equal("", ended.err)
    assert.equal(table.concat(expected, "\n") .. "\n", ended.out)
  end)

  it("has curl lines that succeed", function()
    local box = helper.start()
    local text = helper.shell(("export DEVKIT4AI_BASE_URL=%s DEVKIT4AI_OPERATOR_KEY=%s\nset -ex\n{\n")
      :format(box.url, box.operator_key) .. table.concat(blocks "sh") .. "} 2>&1\n"
      .. "echo fine")
    assert.truthy(text:find("\nfine\n$"), text)
    assert.same({}, box:faults())
  end)

  it("names every operation of the sandbox, and no other", function()
    local found, routes = pcall(require, "devkit4ai.sandbox.api.routes")
    if not found then return end -- the server's modules are not installed
    local names, named = {}, {}
    for _, route in ipairs(routes) do names[route.name] = true end
    for line in section "What it does" :gmatch "\n| [%l ]+ |([^\n]*)" do
      for name in line:gmatch "`([%l_]+)`" do named[name] = true end
    end
    assert.same(names, named)
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
