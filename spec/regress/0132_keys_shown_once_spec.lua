-- A key that is shown only once is never lost: if standard output fails, the message has the id and the command line that
-- revokes the key. --save stores the key before anything is shown. `head` ends the command without a message.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local OUTPUTS = {
  full = "exec >/dev/full", closed = "exec >&-",
  ["without a reader"] = "rm -f pipe; mkfifo pipe; true <pipe & exec >pipe; wait; rm pipe",
}

describe("data that is shown only once", function()
  local workspace
  before_each(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  after_each(function() workspace:remove() end)

  local function before(output) return "cd " .. helper.quote(workspace.folder) .. "\n" .. OUTPUTS[output] end

  local function active(...)
    local found = {}
    for _, key in ipairs(workspace:run({ "keys", "--json", ... }).lines) do
      if key.is_active ~= false then found[#found + 1] = key.id end
    end
    return found
  end

  for output in pairs(OUTPUTS) do
    it("standard output " .. output .. ": keys --new and --rotate name the id and the command to revoke it", function()
      for _, arguments in ipairs { { "keys", "--new", "k" }, { "keys", "--new", "k", "--developer" },
        { "keys", "--new", "k", "--json", "-q" }, { "keys", "--rotate", "k" } } do
        local ended = workspace:run(arguments, { before = before(output) })
        assert.equal(1, ended.code, ended.err)
        local id, line = ended.err:match "the new key ([%x-]+) .*\n  (devkit4ai keys %-%-revoke [^\n]*)\n$"
        assert.is_truthy(line and line:find(id, 1, true), ended.err)
        local whose = arguments[4] == "--developer" and "--developer" or nil
        local count = #active(whose)
        assert.equal(0, workspace:run_in_shell(line).code)
        assert.equal(count - 1, #active(whose))
      end
    end)

    it("standard output " .. output .. ": --save stores the key", function()
      local ended = workspace:run({ "keys", "--new", "k", "--save" }, { before = before(output) })
      local key = child.read(workspace.folder .. "/devkit4ai/config"):match "project_key = (pk_%S+)"
      assert.equal(output == "without a reader" and 141 or 1, ended.code, ended.err)
      local env = { DEVKIT4AI_PROJECT_KEY = key }
      assert.equal(0, workspace:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait" }, { env = env }).code)
    end)

    it("standard output " .. output .. ": projects --new names the id", function()
      local ended = workspace:run({ "projects", "--new", "Neon" }, { before = before(output) })
      local id = ended.err:match "The project ([%x-]+) was made\n$"
      assert.is_truthy(workspace:run({ "projects" }).out:find(id, 1, true), ended.err)
    end)
  end

  it("neither saved nor shown: the message has the command that revokes the key", function()
    local script = [[
      require("devkit4ai.cli.settings.file").write = function() return nil, "the disk is full", { kind = "file" } end
      require("devkit4ai.cli").main(arg)]]
    local arguments = { "keys", "--new", "k", "--save" }
    local ended = child.run(script, { args = arguments, env = workspace:env(), before = "exec >&-" })
    assert.equal(1, ended.code)
    assert.is_truthy(ended.err:find("the disk is full; standard output can't be written", 1, true), ended.err)
    assert.equal(0, workspace:run_in_shell(ended.err:match "\n  (devkit4ai keys %-%-revoke [^\n]*)\n").code)
  end)

  it("shown but not saved: the outcome is unknown, not `not_sent`", function()
    local script = [[
      require("devkit4ai.cli.settings.file").write = function()
        return nil, "the disk is full", { kind = "file", outcome = "not_sent" }
      end
      require("devkit4ai.cli").main(arg)]]
    local ended = child.run(script, { args = { "keys", "--new", "k", "--save", "--json" }, env = workspace:env() })
    assert.equal(1, ended.code)
    assert.is_truthy(ended.out:find('"key":"pk_', 1, true), ended.out)
    assert.is_truthy(ended.out:find('"outcome":"unknown"', 1, true), ended.out)
  end)

  it("a reader that closes the pipe early causes no message", function()
    local line = "mkfifo gone; true <gone & exec 8>gone; wait; devkit4ai %s >&8; echo $? >code; rm gone"
    for arguments, code in pairs {
      ["--help"] = 141, ["completion bash"] = 141, ["projects --json"] = 141, config = 141, ["fly --json 2>output"] = 2,
    } do
      local ended = workspace:run_in_shell(line:format(arguments))
      assert.same({ "", code .. "\n" }, { ended.output, child.read(workspace.folder .. "/code") }, arguments)
    end
  end)

  it("`generate | head` saves the image and ends without a message; without a file the message has the id", function()
    local out = workspace.folder .. "/h.png"
    local image = helper.quote(helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG)
    local line = "mkfifo gone; true <gone & exec 8>gone; wait; devkit4ai generate " .. image
      .. " --prompt x -q --interval 0.1 %s >&8; echo $? >code; rm gone"
    for _, json in ipairs { "", "--json" } do
      local ended = workspace:run_in_shell(line:format("--overwrite --out " .. out .. " " .. json))
      assert.same({ "", "141\n" }, { ended.output, child.read(workspace.folder .. "/code") })
      assert.equal("\137PNG", child.read(out):sub(1, 4))
    end
    local ended = workspace:run_in_shell(line:format "--no-wait")
    assert.equal("8\n", child.read(workspace.folder .. "/code"))
    assert.is_truthy(command.suggested_line(ended), ended.output)
  end)
end)
