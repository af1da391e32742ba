-- The first screen of the README: its code equals an example, and its commands exist.
local child = require "spec.support.child"

local README = child.read "README.md"

-- The first code block in a language.
local function block(language)
  return assert(README:match("\n```" .. language .. "\n(.-)```"), "no block of " .. language)
end

-- A folder with the example images for the program.
local function new_folder()
  local folder, here = child.folder(), assert(io.popen "pwd"):read "*l"
  finally(function() child.remove(folder) end)
  os.execute(("ln -s '%s/examples' '%s/examples'"):format(here, folder))
  return folder
end

-- The program, with shorter waits.
local QUICK = [[
  require("devkit4ai.generation.poll_schedule").pause = function() return 0.1 end
  local sandbox = require "devkit4ai.sandbox"
  local start = sandbox.start
  sandbox.start = function() return start { step_time = 0.1 } end
]]

describe("the README's first lines", function()
  it("equal an example", function()
    local code = block "lua"
    local name = assert(README:match("examples/[%w_]+%.lua"))
    assert.is_truthy(child.read(name):find(code, 1, true), name)
  end)

  it("save an image", function()
    local folder = new_folder()
    local ended = child.run(QUICK .. block "lua", { before = ("cd '%s'"):format(folder) })
    assert.equal(0, ended.code, ended.err)
    assert.equal("\137PNG", child.read(folder .. "/cityscape.png"):sub(1, 4))
    assert.matches("completed", ended.out)
  end)

  it("use the API of the environment, with the change that the README describes", function()
    local box = assert(require("devkit4ai.sandbox").start { step_time = 0.1 })
    finally(function() box:stop() end)
    local options = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
    local code = block "lua":gsub("[^\n]*sandbox[^\n]*\n", ""):gsub("new%(options%)", "new()")
    assert.is_nil(code:find("options", 1, true))
    local ended = child.run(QUICK .. code, { before = ("cd '%s'"):format(new_folder()),
      env = { DEVKIT4AI_BASE_URL = box.url, DEVKIT4AI_DEVELOPER_KEY = options.developer_key } })
    assert.equal(0, ended.code, ended.err)
    assert.equal(1, #box:generations())
  end)
end)

-- A GitHub page shows a README 838 pixels wide, with 32 pixels of padding, and a code block has 16 more on each side. A
-- character of code is 8.2 pixels wide.
local COLUMNS = 90

describe("the README on a GitHub page", function()
  it("has no line of code wider than its box", function()
    local inside, wide = false, {}
    for line in README:gmatch("([^\n]*)\n") do
      if line:find "^%s*```" then inside = not inside end
      local _, characters = line:gsub("[^\128-\191]", "")
      if inside and characters > COLUMNS then wide[#wide + 1] = line end
    end
    assert.same({}, wide)
  end)

  it("has no code and no image in a table: beside wide cells, an image has no width", function()
    assert.is_nil(README:find("<t[adhr]"))
    for line in README:gmatch "[^\n]+" do
      if line:find "^%s*|" then assert.is_nil(line:find "<img" or line:find "!%[", line) end
    end
  end)
end)

describe("the README", function()
  it("names existing files", function()
    for path in README:gmatch("[%w_/]+%.%l+") do
      if path:find("^spec/") or path:find("^docs/") or path:find("^examples/") or path:find("^include/") then
        assert.is_truthy(io.open(path), path)
      end
    end
  end)

  it("names existing C tests", function()
    for list in README:gmatch("c=([%w_,]+)") do
      for name in list:gmatch("[^,]+") do assert.is_truthy(io.open("spec/core/" .. name .. ".c"), name) end
    end
  end)

  it("names existing Makefile targets", function()
    local makefile = child.read "Makefile"
    for target in README:gmatch("[\n`]make (%l[%l-]+)") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), target)
    end
  end)
end)
