-- `devkit4ai logout` failed without a stored login, if the environment had a token: it tried to lock a file in a folder that
-- did not exist.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local file = require "devkit4ai.store.file"

describe("a file store without its file", function()
  local workspace
  setup(function() workspace = command.new() end)
  teardown(function() workspace:remove() end)

  it("has nothing to forget, and leaves nothing behind", function()
    assert.is_true(file.new(workspace.folder .. "/none/sessions.json").set("key", nil))
    assert.is_true(file.new(workspace.folder .. "/sessions.json").set("key", nil))
    assert.is_nil((file.new(workspace.folder .. "/none/sessions.json").set("key", "value")))
    assert.same({}, child.list(workspace.folder))
  end)

  it("lets the command log out", function()
    for _ = 1, 2 do
      local ended = workspace:run({ "logout" }, { env = { DEVKIT4AI_JWT_TOKEN = workspace.developer.access_token } })
      assert.equal(0, ended.code, ended.err)
      assert.is_nil(ended.err:find("could not be emptied", 1, true), ended.err)
    end
  end)
end)
