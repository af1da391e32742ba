-- `devkit4ai logout` failed where nothing had ever been kept, if a token came from the environment: it wanted the lock of a file
-- in a folder that was not there.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local file = require "devkit4ai.store.file"

describe("a file store without its file", function()
  local desk
  setup(function() desk = command.new() end)
  teardown(function() desk:remove() end)

  it("has nothing to forget, and leaves nothing behind", function()
    assert.is_true(file.new(desk.folder .. "/none/sessions.json").set("key", nil))
    assert.is_true(file.new(desk.folder .. "/sessions.json").set("key", nil))
    assert.is_nil((file.new(desk.folder .. "/none/sessions.json").set("key", "value")))
    assert.same({}, child.list(desk.folder))
  end)

  it("lets the command log out", function()
    for _ = 1, 2 do
      local ended = desk:run({ "logout" }, { env = { DEVKIT4AI_JWT_TOKEN = desk.developer.access_token } })
      assert.equal(0, ended.code, ended.err)
      assert.is_nil(ended.err:find("could not be emptied", 1, true), ended.err)
    end
  end)
end)
