-- `devkit4ai sandbox` kept running if standard output could not show its address. A terminal sends SIGHUP and SIGINT to a
-- program and to its sandbox: the sandbox ended first, and both wrote "interrupted".
local child = require "spec.support.process.child"
if not child.runs_sandbox then return end

local command = require "spec.devkit4ai.cli.command"

describe("devkit4ai sandbox", function()
  local workspace
  before_each(function() workspace = command.new() end)
  after_each(function() workspace:remove() end)

  for _, options in ipairs { "", "--json", "--developer me@example.com" } do
    it("ends if standard output fails: " .. options, function()
      local ended = workspace:run_in_shell("timeout 60 devkit4ai sandbox " .. options .. " >/dev/full")
      local expected = "devkit4ai: standard output can't be written: the disk is full\n"
      assert.same({ 1, expected }, { ended.code, ended.output })
      ended = workspace:run_in_shell("mkfifo gone; true <gone & exec 8>gone; wait; timeout 60 devkit4ai sandbox "
        .. options .. " >&8")
      assert.same({ 141, "" }, { ended.code, ended.output })
    end)
  end

  it("--control ignores SIGHUP, and ends with its input", function()
    local ended = workspace:run_in_shell [[
      mkfifo commands
      devkit4ai sandbox --control <commands >output &
      sandbox=$!
      exec 8>commands
      until [ -s output ] || ! kill -0 $sandbox; do sleep 0.05; done
      kill -HUP $sandbox
      echo '{"call": "faults"}' >&8
      tries=0
      until [ "$(wc -l <output)" -ge 2 ] || [ $tries -ge 200 ]; do tries=$((tries + 1)); sleep 0.05; done
      wc -l <output
      exec 8>&-
      wait $sandbox
      echo "sandbox $?"]]
    assert.equal("2\nsandbox 0\n", ended.output)
  end)

  it("of a quickstart ignores Ctrl-C and SIGHUP from its start: only the quickstart reports them", function()
    local path = workspace.folder .. "/signals"
    local program = workspace:write("program", ("#!/bin/sh\ngrep SigIgn /proc/$$/status >'%s'\nexit 1\n"):format(path),
      "755")
    child.run(('require("devkit4ai.cli").main { [-1] = %q, [0] = "devkit4ai", "quickstart", "--out", %q }'):format(
      program, workspace.folder .. "/q.png"), { env = workspace:env() })
    local last = tonumber(child.read(path):match "SigIgn:%s*%x*(%x)\n", 16)
    assert.equal(3, last % 4) -- SIGHUP is the lowest bit, SIGINT the next
  end)
end)
