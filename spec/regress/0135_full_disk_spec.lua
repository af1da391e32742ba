-- A full disk is reported as such, wherever a file is written, and before anything is paid for.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local core = require "devkit4ai.core"
local helper = require "spec.devkit4ai.sandbox.helper"

-- A file system of 192 KB in its own mount namespace. $1: its folder; the other arguments: the command
local MOUNT = [[mount -t tmpfs -o size=192k none "$1" && %s && shift && exec "$@"]]
local FILL = [[{ dd if=/dev/zero of="$1/x" bs=1k 2>&-; true; }]]

describe("a full disk", function()
  it("has its own message, like a file size limit", function()
    assert.equal("the disk is full", core.reason(28)) -- ENOSPC
    assert.equal("the process may not write so large a file", core.reason(27)) -- EFBIG
    assert.equal("Permission denied", core.reason(13))
  end)

  if not helper.shell "unshare -m true 2>&1 && echo fine":find "fine" then return end -- this machine allows no mounts

  local workspace, place
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    place = child.folder()
  end)
  teardown(function()
    child.remove(place)
    workspace:remove()
  end)

  local function run(args, before, changes)
    return child.run('require("devkit4ai.cli").main(arg)', {
      args = args, env = workspace:env(changes),
      wrap = ("unshare -m sh -c %s sh %s"):format(helper.quote(MOUNT:format(before)), place),
    })
  end

  local SETTINGS = 'mkdir -m 700 "$1/devkit4ai" && ' .. FILL
  local CASES = {
    ["the settings"] = { { "config", "--set", "role=developer" }, SETTINGS, "devkit4ai/config: the disk is full" },
    ["the folder of the settings"] = { { "config", "--set", "role=developer" }, FILL, "the disk is full" },
    ["the tokens of a login"] = { { "login" }, SETTINGS, "devkit4ai/sessions.json: the disk is full" },
  }
  for what, case in pairs(CASES) do
    it("is reported: " .. what, function()
      local ended = run(case[1], case[2], {
        XDG_CONFIG_HOME = place, DEVKIT4AI_EMAIL = command.EMAIL, DEVKIT4AI_PASSWORD = command.PASSWORD,
      })
      if ended.code == 0 then return end -- a folder may fit where a file does not
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find(case[3], 1, true), ended.err)
    end)
  end

  it("is reported before a generation is created", function()
    local before = #assert(workspace.box:generations())
    local ended = run({ "generate", helper.PNG, "--prompt", "x", "--out", place .. "/o.png", "--json" }, FILL)
    assert.equal(1, ended.code, ended.err)
    assert.is_truthy(ended.err:find("/o.png can't be written (the disk is full ", 1, true), ended.err)
    assert.is_truthy(ended.out:find('"kind":"file"', 1, true), ended.out)
    assert.equal(before, #assert(workspace.box:generations()))
  end)

  it("is reported if the image does not fit; the suggested line saves it elsewhere", function()
    local arguments = { "generate", helper.PNG, "--prompt", "x", "--out", place .. "/o.png", "--interval", "0.1", "-q" }
    local ended = run(arguments, "true")
    assert.equal(8, ended.code, ended.err)
    assert.is_truthy(ended.err:find("o.png: the disk is full", 1, true), ended.err)
    assert.is_string(command.suggested_line(ended))
  end)
end)
