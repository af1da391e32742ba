-- keys --rotate: the user has the new key before the old one is revoked.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai keys --rotate", function()
  local workspace
  before_each(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  after_each(function() workspace:remove() end)

  local REVOKE = { [false] = "revoke_api_key", [true] = "revoke_developer_key" }

  local function rotate(developer, ...)
    return { "keys", "--rotate", "next", developer and "--developer" or "-q", ... }
  end

  local function count(operation)
    local found = 0
    for _, request in ipairs(assert(workspace.box:requests())) do
      if request.operation == operation then found = found + 1 end
    end
    return found
  end

  local function works(key, developer)
    local env = { [developer and "DEVKIT4AI_DEVELOPER_KEY" or "DEVKIT4AI_PROJECT_KEY"] = key }
    return workspace:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait" }, { env = env }).code == 0
  end

  for developer, operation in pairs(REVOKE) do
    local what = developer and "developer: " or "project: "

    it(what .. "shows the key before it revokes the old one", function()
      assert(workspace.box:fault { operation = operation, delay = 3600 })
      local ended = workspace:interrupt(rotate(developer), developer and "ak_" or "pk_", { signals = "KILL" })
      assert.equal(137, ended.code, ended.output)
      local key = ended.output:match "[ap]k_%S+"
      assert.is_true(works(key, developer))
    end)

    it(what .. "does not revoke if the key can't be shown", function()
      local ended = workspace:run(rotate(developer), { before = "exec >/dev/full" })
      assert.equal(1, ended.code, ended.err)
      assert.equal(0, count(operation))
      local line = ended.err:match "\n  (devkit4ai keys %-%-revoke [^\n]*)\n"
      assert.equal(0, workspace:run_in_shell(line).code, ended.err)
    end)

    it(what .. "shows the key if it can't be saved, and does not revoke", function()
      workspace:write("devkit4ai/config", "role = developer\n")
      local script = [[
        require("devkit4ai.cli.settings.file").write = function() return nil, "disk full", { kind = "file" } end
        require("devkit4ai.cli").main(arg)]]
      local ended = child.run(script, { args = rotate(developer, "--save"), env = workspace:env() })
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("disk full", 1, true), ended.err)
      assert.is_true(works(ended.out:match "[ap]k_%S+", developer))
      assert.equal(0, count(operation))
    end)

    it(what .. "shows the key once and fails if the old key can't be revoked", function()
      assert(workspace.box:fault { operation = operation, status = 500, times = 10 })
      local ended = workspace:run(rotate(developer, "--json"))
      assert.is_true(ended.code ~= 0)
      assert.same({ 2, "next" }, { #ended.lines, ended.lines[1].name }, ended.out)
      assert.is_true(works(ended.lines[1].key, developer))
      assert.equal(ended.code, ended.json.error.exit_code)
    end)

    it(what .. "with --save stores the key before it revokes the old one", function()
      assert(workspace.box:fault { operation = operation, delay = 3600 })
      local ended = workspace:interrupt(rotate(developer, "--save"), "is in ", { signals = "KILL" })
      assert.equal(137, ended.code, ended.output)
      local key = child.read(workspace.folder .. "/devkit4ai/config"):match "_key = ([ap]k_%S+)"
      assert.is_true(works(key, developer))
    end)
  end
end)
