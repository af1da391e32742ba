-- A program that knows its target file checks the path before the paid request: the README's program, the examples, the
-- command. A second run must not pay and then refuse to save.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"

local HERE = assert(io.popen "pwd"):read "*l"

-- Runs a program and prints its result and the number of generations in its sandbox.
local COUNTED = [[
  local sandbox, box = require "devkit4ai.sandbox", nil
  local start = sandbox.start
  sandbox.start = function()
    box = assert(start { step_time = 0.05 })
    return box
  end
  require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.05 end
  local done, why = pcall(dofile, %q)
  io.stderr:write(done and "" or why)
  print("paid", box and #box:generations() or 0)
  os.exit(done and 0 or 1)
]]

-- A folder with the example images; wanted: what exists there under the name of the target.
local function new_folder(name, wanted)
  local folder = child.folder()
  finally(function() child.remove(folder) end)
  os.execute(("mkdir '%s/examples' && ln -s '%s/examples/images' '%s/examples/'"):format(folder, HERE, folder))
  if wanted == "folder" then os.execute(("mkdir '%s/%s'"):format(folder, name)) end
  if wanted == "link" then os.execute(("ln -s '%s/none/x.png' '%s/%s'"):format(folder, folder, name)) end
  return folder
end

local function run(example, folder, args)
  local ended = child.run(COUNTED:format(HERE .. "/" .. example), { args = args, before = ("cd '%s'"):format(folder) })
  ended.paid = tonumber(ended.out:match "paid%s+(%d+)\n$")
  return ended
end

local README = assert(child.read "README.md":match "examples/[%w_]+%.lua")

describe("a program that knows its target file", function()
  for example, name in pairs { [README] = "cityscape.png", ["examples/quickstart.lua"] = "quickstart.png" } do
    it(example .. " runs twice, and saves twice", function()
      local folder = new_folder(name)
      for _ = 1, 2 do
        local ended = run(example, folder)
        assert.equal(0, ended.code, ended.err)
        assert.equal(1, ended.paid)
        assert.equal("\137PNG", child.read(folder .. "/" .. name):sub(1, 4))
      end
    end)

    for _, wanted in ipairs { "folder", "link" } do
      it(("%s pays nothing if the path is a %s that can't be written"):format(example, wanted), function()
        local ended = run(example, new_folder(name, wanted))
        assert.same({ 1, 0 }, { ended.code, ended.paid })
        assert.is_truthy(ended.err:find(name, 1, true), ended.err)
      end)
    end
  end

  it("devkit4ai quickstart and generate pay nothing if the path can't be written", function()
    local workspace = command.new { step_time = 0.05 }
    finally(function() workspace:remove() end)
    local image = HERE .. "/examples/images/neon.png"
    os.execute(("mkdir '%s/f' && touch '%s/there' && ln -s none/x '%s/link'"):format(
      workspace.folder, workspace.folder, workspace.folder))
    for _, name in ipairs { "f", "there", "link", "none/x.png", "there/x.png", "" } do
      local out = name == "" and "" or workspace.folder .. "/" .. name
      local ended = workspace:run { "generate", image, "--prompt", "neon", "--out", out }
      assert.not_equal(0, ended.code, name)
      if child.runs_sandbox then
        ended = workspace:run { "quickstart", "--out", out }
        assert.not_equal(0, ended.code, name)
        assert.is_nil(ended.err:find("register", 1, true), ended.err)
      end
    end
    assert.equal(0, workspace:count_generations())
  end)
end)

describe("examples/quickstart.lua", function()
  it("sends the given images", function()
    local folder = new_folder "quickstart.png"
    local ended = run("examples/quickstart.lua", folder, { "examples/images/neon.png" })
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.out:find("1 images sent", 1, true), ended.out)
    ended = run("examples/quickstart.lua", folder, { "examples/images/none.png" })
    assert.same({ 1, 0 }, { ended.code, ended.paid })
    assert.is_truthy(ended.err:find("none.png", 1, true), ended.err)
  end)

  it("uses the API of the environment with --real, and no sandbox", function()
    local workspace = command.new { step_time = 0.05 }
    finally(function() workspace:remove() end)
    local folder = new_folder "quickstart.png"
    local script = [[
      require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.05 end
      package.preload["devkit4ai.sandbox"] = function() error "a sandbox was started" end
      dofile(]] .. ("%q)"):format(HERE .. "/examples/quickstart.lua")
    local options = { args = { "--real" }, env = workspace:env(), before = ("cd '%s'"):format(folder) }
    local ended = child.run(script, options)
    assert.equal(1, ended.code)
    assert.is_truthy(ended.err:find("DEVKIT4AI_EMAIL", 1, true), ended.err)
    options.env.DEVKIT4AI_EMAIL, options.env.DEVKIT4AI_PASSWORD = command.EMAIL, command.PASSWORD
    options.args[2] = "examples/images/mountains.png"
    ended = child.run(script, options)
    assert.equal(0, ended.code, ended.err)
    assert.equal(1, workspace:count_generations())
    assert.equal("\137PNG", child.read(folder .. "/quickstart.png"):sub(1, 4))
  end)
end)
