-- A key that is shown only once is never lost: where standard output takes nothing, the message has the id and the line that
-- revokes it; with --save the key is in the settings before anything is shown. `head` ends the command without a word.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local OUTPUTS = {
  full = "exec >/dev/full", closed = "exec >&-",
  ["without a reader"] = "rm -f pipe; mkfifo pipe; true <pipe & exec >pipe; wait; rm pipe",
}

describe("what is shown only once", function()
  local desk
  before_each(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
  end)
  after_each(function() desk:remove() end)

  local function before(output) return "cd " .. helper.quote(desk.folder) .. "\n" .. OUTPUTS[output] end

  local function active(...)
    local found = {}
    for _, key in ipairs(desk:run({ "keys", "--json", ... }).lines) do
      if key.is_active ~= false then found[#found + 1] = key.id end
    end
    return found
  end

  for output in pairs(OUTPUTS) do
    it("standard output " .. output .. ": keys --new and --rotate name the id and the line that revokes it", function()
      for _, words in ipairs { { "keys", "--new", "k" }, { "keys", "--new", "k", "--developer" },
        { "keys", "--new", "k", "--json", "-q" }, { "keys", "--rotate", "k" } } do
        local ended = desk:run(words, { before = before(output) })
        assert.equal(1, ended.code, ended.err)
        local id, line = ended.err:match "the new key ([%x-]+) .*\n  (devkit4ai keys %-%-revoke [^\n]*)\n$"
        assert.is_truthy(line and line:find(id, 1, true), ended.err)
        local whose = words[4] == "--developer" and "--developer" or nil
        local count = #active(whose)
        assert.equal(0, desk:shell(line).code)
        assert.equal(count - 1, #active(whose))
      end
    end)

    it("standard output " .. output .. ": --save has the key in the settings", function()
      local ended = desk:run({ "keys", "--new", "k", "--save" }, { before = before(output) })
      local key = child.read(desk.folder .. "/devkit4ai/config"):match "project_key = (pk_%S+)"
      assert.equal(output == "without a reader" and 141 or 1, ended.code, ended.err)
      local env = { DEVKIT4AI_PROJECT_KEY = key }
      assert.equal(0, desk:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait" }, { env = env }).code)
    end)

    it("standard output " .. output .. ": projects --new names the id", function()
      local ended = desk:run({ "projects", "--new", "Neon" }, { before = before(output) })
      local id = ended.err:match "The project ([%x-]+) was made\n$"
      assert.is_truthy(desk:run({ "projects" }).out:find(id, 1, true), ended.err)
    end)
  end

  it("neither saved nor shown: the line that revokes it", function()
    local script = [[
      require("devkit4ai.cli.settings_file").write = function() return nil, "the disk is full", { kind = "file" } end
      require("devkit4ai.cli").main(arg)]]
    local words = { "keys", "--new", "k", "--save" }
    local ended = child.run(script, { args = words, env = desk:env(), before = "exec >&-" })
    assert.equal(1, ended.code)
    assert.is_truthy(ended.err:find("the disk is full; standard output can't be written", 1, true), ended.err)
    assert.equal(0, desk:shell(ended.err:match "\n  (devkit4ai keys %-%-revoke [^\n]*)\n").code)
  end)

  it("saved nowhere, but shown: nothing says that it was not sent", function()
    local script = [[
      require("devkit4ai.cli.settings_file").write = function()
        return nil, "the disk is full", { kind = "file", outcome = "not_sent" }
      end
      require("devkit4ai.cli").main(arg)]]
    local ended = child.run(script, { args = { "keys", "--new", "k", "--save", "--json" }, env = desk:env() })
    assert.equal(1, ended.code)
    assert.is_truthy(ended.out:find('"key":"pk_', 1, true), ended.out)
    assert.is_truthy(ended.out:find('"outcome":"unknown"', 1, true), ended.out)
  end)

  it("the reader of a pipe that ends early is told nothing", function()
    local line = "mkfifo gone; true <gone & exec 8>gone; wait; devkit4ai %s >&8; echo $? >code; rm gone"
    for words, code in pairs {
      ["--help"] = 141, ["completion bash"] = 141, ["projects --json"] = 141, config = 141, ["fly --json 2>said"] = 2,
    } do
      local ended = desk:shell(line:format(words))
      assert.same({ "", code .. "\n" }, { ended.said, child.read(desk.folder .. "/code") }, words)
    end
  end)

  it("`generate | head` saves the image and ends without a word; without a file the id is told", function()
    local out = desk.folder .. "/h.png"
    local image = helper.quote(helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG)
    local line = "mkfifo gone; true <gone & exec 8>gone; wait; devkit4ai generate " .. image
      .. " --prompt x -q --interval 0.1 %s >&8; echo $? >code; rm gone"
    for _, json in ipairs { "", "--json" } do
      local ended = desk:shell(line:format("--overwrite --out " .. out .. " " .. json))
      assert.same({ "", "141\n" }, { ended.said, child.read(desk.folder .. "/code") })
      assert.equal("\137PNG", child.read(out):sub(1, 4))
    end
    local ended = desk:shell(line:format "--no-wait")
    assert.equal("8\n", child.read(desk.folder .. "/code"))
    assert.is_truthy(command.line(ended), ended.said)
  end)
end)
