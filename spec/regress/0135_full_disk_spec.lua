-- A full disk is named as such, wherever a file is written, and before anything is paid for. It used to be "can't be written".
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local core = require "devkit4ai.core"
local helper = require "spec.devkit4ai.sandbox.helper"

-- A file system of 192 KB in a mount namespace of its own: its folder is $1, the command the rest.
local MOUNT = [[mount -t tmpfs -o size=192k none "$1" && %s && shift && exec "$@"]]
local FILL = [[{ dd if=/dev/zero of="$1/x" bs=1k 2>&-; true; }]]

describe("a full disk", function()
  it("has its name, like the other ends of the room", function()
    assert.equal("the disk is full", core.reason(28)) -- ENOSPC
    assert.equal("the process may not write so large a file", core.reason(27)) -- EFBIG
    assert.equal("Permission denied", core.reason(13))
  end)

  if not helper.shell "unshare -m true 2>&1 && echo fine":find "fine" then return end -- this machine allows no mounts

  local desk, place
  setup(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
    place = child.folder()
  end)
  teardown(function()
    child.remove(place)
    desk:remove()
  end)

  local function run(args, before, changes)
    return child.run('require("devkit4ai.cli").main(arg)', {
      args = args, env = desk:env(changes),
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
    it("is named: " .. what, function()
      local ended = run(case[1], case[2], {
        XDG_CONFIG_HOME = place, DEVKIT4AI_EMAIL = command.EMAIL, DEVKIT4AI_PASSWORD = command.PASSWORD,
      })
      if ended.code == 0 then return end -- a small folder may fit where no byte of a file does
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find(case[3], 1, true), ended.err)
    end)
  end

  it("is named before a generation is ordered", function()
    local before = #assert(desk.box:generations())
    local ended = run({ "generate", helper.PNG, "--prompt", "x", "--out", place .. "/o.png", "--json" }, FILL)
    assert.equal(1, ended.code, ended.err)
    assert.is_truthy(ended.err:find("/o.png can't be written (the disk is full ", 1, true), ended.err)
    assert.is_truthy(ended.out:find('"kind":"file"', 1, true), ended.out)
    assert.equal(before, #assert(desk.box:generations()))
  end)

  it("is named where the image is larger than the room: it is paid for, and the line continues elsewhere", function()
    local words = { "generate", helper.PNG, "--prompt", "x", "--out", place .. "/o.png", "--interval", "0.1", "-q" }
    local ended = run(words, "true")
    assert.equal(8, ended.code, ended.err)
    assert.is_truthy(ended.err:find("o.png: the disk is full", 1, true), ended.err)
    assert.is_string(command.line(ended))
  end)
end)
