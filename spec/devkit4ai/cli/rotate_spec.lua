-- keys --rotate: the new key is out of the command's hands before the old one is revoked.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai keys --rotate", function()
  local desk
  before_each(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
  end)
  after_each(function() desk:remove() end)

  local REVOKE = { [false] = "revoke_api_key", [true] = "revoke_developer_key" }

  local function rotate(developer, ...)
    return { "keys", "--rotate", "next", developer and "--developer" or "-q", ... }
  end

  local function count(operation)
    local found = 0
    for _, request in ipairs(assert(desk.box:requests())) do
      if request.operation == operation then found = found + 1 end
    end
    return found
  end

  local function works(key, developer)
    local env = { [developer and "DEVKIT4AI_DEVELOPER_KEY" or "DEVKIT4AI_PROJECT_KEY"] = key }
    return desk:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait" }, { env = env }).code == 0
  end

  for developer, operation in pairs(REVOKE) do
    local what = developer and "developer: " or "project: "

    it(what .. "gives the key before it revokes the old one", function()
      assert(desk.box:fault { operation = operation, delay = 3600 })
      local ended = desk:interrupt(rotate(developer), developer and "ak_" or "pk_", { signals = "KILL" })
      assert.equal(137, ended.code, ended.said)
      local key = ended.said:match "[ap]k_%S+"
      assert.is_true(works(key, developer))
    end)

    it(what .. "does not revoke where the key can't be written", function()
      local ended = desk:run(rotate(developer), { before = "exec >/dev/full" })
      assert.equal(1, ended.code, ended.err)
      assert.equal(0, count(operation))
      local line = ended.err:match "\n  (devkit4ai keys %-%-revoke [^\n]*)\n"
      assert.equal(0, desk:shell(line).code, ended.err)
    end)

    it(what .. "shows the key where the settings can't be written, and does not revoke", function()
      desk:write("devkit4ai/config", "role = developer\n")
      local script = [[
        require("devkit4ai.cli.settings_file").write = function() return nil, "disk full", { kind = "file" } end
        require("devkit4ai.cli").main(arg)]]
      local ended = child.run(script, { args = rotate(developer, "--save"), env = desk:env() })
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("disk full", 1, true), ended.err)
      assert.is_true(works(ended.out:match "[ap]k_%S+", developer))
      assert.equal(0, count(operation))
    end)

    it(what .. "that ends half done shows the key once, and fails", function()
      assert(desk.box:fault { operation = operation, status = 500, times = 10 })
      local ended = desk:run(rotate(developer, "--json"))
      assert.is_true(ended.code ~= 0)
      assert.same({ 2, "next" }, { #ended.lines, ended.lines[1].name }, ended.out)
      assert.is_true(works(ended.lines[1].key, developer))
      assert.equal(ended.code, ended.json.error.exit_code)
    end)

    it(what .. "with --save has the key in the settings before it revokes", function()
      assert(desk.box:fault { operation = operation, delay = 3600 })
      local ended = desk:interrupt(rotate(developer, "--save"), "is in ", { signals = "KILL" })
      assert.equal(137, ended.code, ended.said)
      local key = child.read(desk.folder .. "/devkit4ai/config"):match "_key = ([ap]k_%S+)"
      assert.is_true(works(key, developer))
    end)
  end
end)
