-- The command could not write a picture to standard output: `--out -` made a file of that name, and `--out /dev/stdout` was
-- refused. A name of 255 bytes was refused, too, since the probe beside it had a longer one.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai --out -", function()
  local desk, id
  setup(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
    local ended = desk:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1",
      "--out", desk.folder .. "/a.png" }
    id = assert(ended.err:match "generation ([%x-]+)", ended.err)
  end)
  teardown(function() desk:remove() end)

  local function picture()
    return child.read(desk.folder .. "/a.png")
  end

  for _, out in ipairs { "-", "/dev/stdout", "/dev/fd/1" } do
    it("writes the bytes and nothing else: " .. out, function()
      for _, name in ipairs { "save", "wait" } do
        local ended = desk:run { name, id, "--out", out }
        assert.same({ 0, picture(), "" }, { ended.code, ended.out, ended.err })
      end
      local before = child.list(desk.folder)
      local made = desk:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", "--out", out }
      assert.equal(0, made.code, made.err)
      assert.equal("\137PNG", made.out:sub(1, 4))
      assert.equal("IEND\174B`\130", made.out:sub(-8))
      assert.same(before, child.list(desk.folder))
    end)
  end

  it("is refused with --json, and where standard output is closed, before anything is paid for", function()
    local before = desk:made()
    local generate = { "generate", helper.PNG, "--prompt", "neon", "--out", "-" }
    local closed = desk:run(generate, { before = "exec >&-" })
    assert.equal(1, closed.code)
    assert.is_truthy(closed.err:find("standard output is closed", 1, true), closed.err)
    generate[#generate + 1] = "--json"
    local ended = desk:run(generate)
    assert.equal(2, ended.code)
    assert.equal(2, ended.json.error.exit_code)
    assert.is_truthy(ended.json.error.message:find("give --out the name of a file", 1, true), ended.out)
    assert.equal(before, desk:made())
  end)

  it("is refused on a terminal", function()
    local ended = desk:shell(("script -qec 'devkit4ai save %s --out -' typescript"):format(id))
    assert.equal(2, ended.code, ended.said)
    assert.is_truthy(ended.said:find("standard output is a terminal; redirect it", 1, true), ended.said)
    assert.is_nil(ended.said:find("IHDR", 1, true))
  end)

  it("is a failure where standard output takes no bytes, with a line that continues", function()
    local ended = desk:shell(("devkit4ai save %s --out - >/dev/full"):format(id))
    assert.equal(8, ended.code, ended.said)
    assert.is_truthy(ended.said:find("the disk is full", 1, true), ended.said)
    local line = assert(command.line(ended), ended.said)
    local again = desk:shell(line .. " >again.png")
    assert.same({ 0, picture() }, { again.code, child.read(desk.folder .. "/again.png") }, again.said)
  end)

  it("has a file beside it whose name is as long as the file system takes", function()
    for _, name in ipairs { ("n"):rep(251) .. ".png", ("n"):rep(255) } do
      local path = desk.folder .. "/" .. name
      assert.equal(0, desk:run({ "save", id, "--out", path }).code)
      assert.equal(0, desk:run({ "save", id, "--out", path, "--overwrite" }).code)
      assert.equal(picture(), child.read(path))
    end
  end)
end)
