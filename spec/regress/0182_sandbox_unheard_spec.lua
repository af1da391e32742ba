-- Where standard output took nothing, `devkit4ai sandbox` ran on at an address that nobody knew. SIGHUP, which a terminal sends
-- to the program and to its sandbox, ended the sandbox first, and both wrote "interrupted" into one line.
if _VERSION == "Lua 5.1" and not jit then return end -- luacheck: globals jit (the sandbox does not run there)

local command = require "spec.devkit4ai.cli.command"

describe("devkit4ai sandbox", function()
  local desk
  before_each(function() desk = command.new() end)
  after_each(function() desk:remove() end)

  for _, options in ipairs { "", "--json", "--developer me@example.com" } do
    it("ends where standard output takes nothing: " .. options, function()
      local ended = desk:shell("timeout 60 devkit4ai sandbox " .. options .. " >/dev/full")
      assert.same({ 1, "devkit4ai: standard output can't be written: the disk is full\n" }, { ended.code, ended.said })
      ended = desk:shell("mkfifo gone; true <gone & exec 8>gone; wait; timeout 60 devkit4ai sandbox "
        .. options .. " >&8")
      assert.same({ 141, "" }, { ended.code, ended.said })
    end)
  end

  it("--control leaves SIGHUP to its program, and ends with its input", function()
    local ended = desk:shell [[
      mkfifo words
      devkit4ai sandbox --control <words >said &
      sandbox=$!
      exec 8>words
      until [ -s said ] || ! kill -0 $sandbox; do sleep 0.05; done
      kill -HUP $sandbox
      echo '{"call": "faults"}' >&8
      tries=0
      until [ "$(wc -l <said)" -ge 2 ] || [ $tries -ge 200 ]; do tries=$((tries + 1)); sleep 0.05; done
      wc -l <said
      exec 8>&-
      wait $sandbox
      echo "sandbox $?"]]
    assert.equal("2\nsandbox 0\n", ended.said)
  end)
end)
