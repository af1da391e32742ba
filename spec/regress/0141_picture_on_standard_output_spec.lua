-- The command could not write an image to standard output: `--out -` made a file of that name, and `--out /dev/stdout` was
-- refused. A name of 255 bytes was refused, too, because the probe file beside it had a longer name.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai --out -", function()
  local workspace, id
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    local ended = workspace:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1",
      "--out", workspace.folder .. "/a.png" }
    id = assert(ended.err:match "generation ([%x-]+)", ended.err)
  end)
  teardown(function() workspace:remove() end)

  local function image()
    return child.read(workspace.folder .. "/a.png")
  end

  for _, out in ipairs { "-", "/dev/stdout", "/dev/fd/1" } do
    it("writes the bytes and nothing else: " .. out, function()
      for _, name in ipairs { "save", "wait" } do
        local ended = workspace:run { name, id, "--out", out }
        assert.same({ 0, image(), "" }, { ended.code, ended.out, ended.err })
      end
      local before = child.list(workspace.folder)
      local created = workspace:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", "--out", out }
      assert.equal(0, created.code, created.err)
      assert.equal("\137PNG", created.out:sub(1, 4))
      assert.equal("IEND\174B`\130", created.out:sub(-8))
      assert.same(before, child.list(workspace.folder))
    end)
  end

  it("is refused with --json or a closed standard output, before anything is paid for", function()
    local before = workspace:count_generations()
    local generate = { "generate", helper.PNG, "--prompt", "neon", "--out", "-" }
    local closed = workspace:run(generate, { before = "exec >&-" })
    assert.equal(1, closed.code)
    assert.is_truthy(closed.err:find("standard output is closed", 1, true), closed.err)
    generate[#generate + 1] = "--json"
    local ended = workspace:run(generate)
    assert.equal(2, ended.code)
    assert.equal(2, ended.json.error.exit_code)
    assert.is_truthy(ended.json.error.message:find("give --out the name of a file", 1, true), ended.out)
    assert.equal(before, workspace:count_generations())
  end)

  it("is refused on a terminal", function()
    local ended = workspace:run_in_shell(("script -qec 'devkit4ai save %s --out -' typescript"):format(id))
    assert.equal(2, ended.code, ended.output)
    assert.is_truthy(ended.output:find("standard output is a terminal; redirect it", 1, true), ended.output)
    assert.is_nil(ended.output:find("IHDR", 1, true))
  end)

  it("is a failure if standard output takes no bytes, with a command line that continues", function()
    local ended = workspace:run_in_shell(("devkit4ai save %s --out - >/dev/full"):format(id))
    assert.equal(8, ended.code, ended.output)
    assert.is_truthy(ended.output:find("the disk is full", 1, true), ended.output)
    local line = assert(command.suggested_line(ended), ended.output)
    local again = workspace:run_in_shell(line .. " >again.png")
    assert.same({ 0, image() }, { again.code, child.read(workspace.folder .. "/again.png") }, again.output)
  end)

  it("takes a file name as long as the file system allows", function()
    for _, name in ipairs { ("n"):rep(251) .. ".png", ("n"):rep(255) } do
      local path = workspace.folder .. "/" .. name
      assert.equal(0, workspace:run({ "save", id, "--out", path }).code)
      assert.equal(0, workspace:run({ "save", id, "--out", path, "--overwrite" }).code)
      assert.equal(image(), child.read(path))
    end
  end)
end)
