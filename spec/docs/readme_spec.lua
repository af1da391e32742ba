-- The README: its program is an example's and runs, its line for the real API works, and the commands that it names exist.
local child = require "spec.support.process.child"

local README = child.read "README.md"

-- The README's blocks of Lua: the program, and the line for the real API.
local PROGRAM, REAL = README:match "\n```lua\n(.-)```.-\n```lua\n(.-)```"

-- The program with the line for the real API, which replaces the lines that the README names.
local function program_for_the_real_api()
  local first, last = README:gsub("%s+", " "):match "replace lines (%d+) to (%d+) of the program"
  local lines = {}
  for line in PROGRAM:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
  for number = tonumber(first), tonumber(last) do lines[number] = "" end
  lines[tonumber(first)] = REAL
  return table.concat(lines)
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
  require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.1 end
  local sandbox = require "devkit4ai.sandbox"
  local start = sandbox.start
  sandbox.start = function() return start { step_time = 0.1 } end
]]

describe("the README's first lines", function()
  it("are those of an example", function()
    local name = assert(README:match("examples/[%w_]+%.lua"))
    assert.equal(child.read(name), PROGRAM)
  end)

  it("save an image", function()
    local folder = new_folder()
    local ended = child.run(QUICK .. PROGRAM, { before = ("cd '%s'"):format(folder) })
    assert.equal(0, ended.code, ended.err)
    assert.equal("\137PNG", child.read(folder .. "/cityscape.png"):sub(1, 4))
    assert.matches("completed", ended.out)
  end)

  it("use the API of the environment, with the change that the README describes", function()
    local box = assert(require("devkit4ai.sandbox").start { step_time = 0.1 })
    finally(function() box:stop() end)
    local options = assert(box:developer { email = "me@example.com", password = "SecurePass123" })
    local code = program_for_the_real_api():gsub("my password", "SecurePass123")
    assert.is_nil(code:find("sandbox", 1, true))
    local env = { DEVKIT4AI_BASE_URL = box.url }
    for _, name in ipairs { "developer_key", "project_id", "project_key" } do
      local variable = "DEVKIT4AI_" .. name:upper()
      assert.is_truthy(README:find("`" .. variable .. "`", 1, true), variable)
      env[variable] = options[name]
    end
    local ended = child.run(QUICK .. code, { before = ("cd '%s'"):format(new_folder()), env = env })
    assert.equal(0, ended.code, ended.err)
    assert.equal(1, #box:generations())
  end)
end)

-- A GitHub page shows a README 838 pixels wide, with 32 pixels of padding, and a code block has 16 more on each side. A
-- character of code is 8.2 pixels wide.
local COLUMNS = 90

describe("the README on a GitHub page", function()
  it("has at most 100 lines", function()
    assert.is_true(select(2, README:gsub("\n", "\n")) <= 100)
  end)

  it("has no line of code that is wider than its box", function()
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
      for name in list:gmatch("[^,]+") do
        assert.is_truthy(io.popen(("ls spec/core/*/%s.c"):format(name)):read(), name)
      end
    end
  end)

  it("names existing Makefile targets", function()
    local makefile = child.read "Makefile"
    for target in README:gmatch("[\n`]make (%l[%l-]+)") do
      assert.is_truthy(makefile:find("\n" .. target .. ":", 1, true), target)
    end
  end)
end)
