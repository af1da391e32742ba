-- A signal at any moment ends the command with 128 and its number, and without a traceback, also while modules are loaded.
-- Before, the interpreter showed a traceback, or a `pcall` around `require` took the signal for a missing module. Each opened
-- file is a moment, so the machine's speed changes nothing.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local HERE = helper.shell "pwd":match "[^\n]+"
local STEP = 3 -- every third file

-- Runs the command with a signal at the n-th opened file; n = nil: no signal.
local function run(arguments, number, n)
  return child.run("dofile " .. ("%q"):format(HERE .. "/bin/devkit4ai"), {
    args = arguments, preload = "signal_at_open", signalled = true,
    env = { XDG_CONFIG_HOME = "/nonexistent", SIGNAL_AT = tostring(n or 0), SIGNAL_NUMBER = tostring(number),
      DEVKIT4AI_BASE_URL = "http://127.0.0.1:1" },
  })
end

-- Sends the signal at each moment, until the command ends without it.
local function at_every_moment(arguments, number, check)
  local whole = run(arguments, number)
  local moments, n = 0, 1
  while true do
    local ended = run(arguments, number, n)
    assert.is_nil((ended.out .. ended.err):find("traceback", 1, true), n .. ended.err)
    if ended.code == whole.code and ended.out == whole.out then break end
    assert.equal(128 + number, ended.code, n .. ended.out .. ended.err)
    check(ended)
    moments, n = moments + 1, n + STEP
  end
  assert.is_true(moments > 10) -- a run that loads no modules would prove nothing
end

describe("the command ends with an exit code and no traceback", function()
  for name, number in pairs { SIGINT = 2, SIGTERM = 15 } do
    it("at every moment: " .. name, function()
      at_every_moment({ "me" }, number, function(ended) assert.equal("", ended.out) end)
    end)
  end

  it("with one JSON object", function()
    local objects = 0
    at_every_moment({ "me", "--json" }, 2, function(ended)
      if ended.out == "" and ended.err == "" then return end -- the interpreter had not started
      assert.matches('^{"error":{"exit_code":130,"kind":"cancelled","message":"interrupted".*}}\n$', ended.out)
      objects = objects + 1
    end)
    assert.is_true(objects > 10)
  end)

  it("as installed by LuaRocks or make install, without a path or a wrapper", function()
    if not child.interpreter():find "lua5.4" then return end -- the command finds its own Lua
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local core = package.searchpath("devkit4ai.core", package.cpath):match "^(.*)/core%.so$"
    helper.shell(([[cd %s && mkdir -p bin share/lua/5.4 lib/lua/5.4 && cp %s/bin/devkit4ai bin &&
      ln -s %s/lua/devkit4ai share/lua/5.4 && ln -s %s lib/lua/5.4 &&
      ln -s bin/devkit4ai linked]]):format(folder, HERE, HERE, core))
    local bare = "env -i HOME=/nonexistent PATH=\"$PATH\" "
    for _, program in ipairs { "/bin/devkit4ai", "/linked" } do
      assert.equal("4\n", helper.shell(("%s %s me >%s/out 2>&1; echo $?"):format(bare, folder .. program, folder)))
    end
    local rock = child.read "rockspec/devkit4ai-scm-1.rockspec"
    assert.is_truthy(rock:find("wrap_bin_scripts = false", 1, true))
  end)
end)
