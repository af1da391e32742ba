-- docs/command.md: its examples run in their order, as a user types them; its tables are complete.

local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local page = child.read "docs/command.md"

-- `devkit4ai` for the shell: this Lua, with the paths of this spec.
local SETUP = [[
  set -e
  unset CURL_CA_BUNDLE SSL_CERT_FILE
  cp %s a.png
  cp %s b.png
  mkdir bin
  printf '#!/bin/sh\nexec %s "$0.lua" "$@"\n' > bin/devkit4ai
  printf 'require("devkit4ai.cli").main(arg)\n' > bin/devkit4ai.lua
  chmod +x bin/devkit4ai
  PATH=$PWD/bin:$PATH XDG_CONFIG_HOME=$PWD/config
  export PATH XDG_CONFIG_HOME
  API=%s PASSWORD=%s
  printf '%%s\n' %s > developer.key
  printf '# none\n' > my.env
]]

describe("docs/command.md", function()
  it("has examples that run", function()
    local workspace = command.new { step_time = 0.05 }
    finally(function() workspace:remove() end)
    local here = helper.shell "pwd":match "[^\n]+" .. "/"
    local setup = SETUP:format(here .. helper.PNG, here .. helper.PNG2, child.interpreter(), workspace.box.url,
      command.PASSWORD, workspace.developer.developer_key)
    local script = { command.CLEAN, setup }
    for block in page:gmatch "\n```sh\n(.-)```" do
      if child.runs_sandbox or not block:find("quickstart", 1, true) then
        script[#script + 1] = block:gsub("devkit4ai generate", "%0 --interval 0.1")
          :gsub('wait "%$id"', "%0 --interval 0.1")
      end
    end
    local path = workspace:write("page.sh", table.concat(script, "\n"))
    local output = helper.shell(("cd %s && sh page.sh 2>&1; echo \"ended with $?\""):format(workspace.folder, path))
    assert.matches("ended with 0\n$", output)
    for _, name in ipairs { "city.png", "lighthouse.png", "again.png" } do
      assert.equal("\137PNG", child.read(workspace.folder .. "/" .. name):sub(1, 4))
    end
    assert.matches("guest@example%.com %(end_user%)", output)
  end)

  it("names every command, setting and exit code", function()
    for _, name in ipairs {
      "quickstart", "register", "login", "logout", "me", "projects", "keys", "generate", "batch", "batch push",
      "batch work", "wait", "save",
      "list", "config", "sandbox", "completion", "version", "help",
    } do
      assert.is_truthy(page:find("\n| `" .. name, 1, true), name)
    end
    for _, row in ipairs(require("devkit4ai.cli.settings").rows()) do
      assert.is_truthy(page:find("`" .. row.name .. "`", 1, true), row.name)
    end
    local rows = {}
    for i, row in ipairs(require("devkit4ai.cli.errors.exit_codes").MEANINGS) do
      rows[i] = ("| %d | %s |\n"):format(row[1], row[2])
    end
    assert.is_truthy(page:find("| code | meaning |\n| --- | --- |\n" .. table.concat(rows) .. "\n", 1, true))
  end)
end)

describe("docs/batch.md", function()
  it("has a first batch that runs", function()
    local workspace = command.new { step_time = 0.05 }
    finally(function() workspace:remove() end)
    workspace:login()
    for name, from in pairs { ["a.png"] = helper.PNG, ["b.png"] = helper.PNG2 } do
      workspace:write(name, child.read(from))
    end
    local lines = child.read "docs/batch.md":match "\n```sh\n(.-)```"
    local ended = workspace:run_in_shell("set -e\n" .. lines)
    assert.equal(0, ended.code, ended.output)
    assert.matches("^2 jobs: 0 done, 0 failed, 0 undecided, 2 to send and to pay for\n", ended.output)
    assert.matches("\nresults/index%.html\n$", ended.output)
    assert.same({ "Oslo.png", "Rome.png", "index.html", "journal.jsonl", "journal.jsonl.length" },
      child.list(workspace.folder .. "/results"))
  end)

  it("names each type of event, each step and each field of the journal", function()
    local text = child.read "docs/batch.md"
    for name in child.read "src/core/file/job_states.c":match "steps%[%] = {(.-)};":gmatch '"(%l+)"' do
      assert.is_truthy(text:find("`" .. name .. "`", 1, true), name)
    end
    for name in child.read "lua/devkit4ai/batch/journal/format.lua":match "FIELDS = {(.-)\n}":gmatch '{ "(%l+)"' do
      assert.is_truthy(text:find("`" .. name .. "`", 1, true) or text:find('"' .. name .. '"', 1, true), name)
    end
  end)
end)
