-- A login replaced any file at the path of its store: a mistyped path (`.env` for `sessions.json`) lost that file.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local devkit4ai = require "devkit4ai"
local file = require "devkit4ai.store.file"

describe("a store's file that holds something else", function()
  local workspace
  setup(function() workspace = command.new() end)
  teardown(function() workspace:remove() end)

  local function write(path, text)
    local out = assert(io.open(path, "wb"))
    out:write(text)
    out:close()
    os.execute(("chmod 600 '%s'"):format(path))
  end

  for what, text in pairs {
    ["other text"] = "DEVKIT4AI_DEVELOPER_KEY=ak_123\n", ["other JSON"] = '{"base_url": {"a": 1}}',
    ["half of a store"] = '{"key":"val',
  } do
    it("stays, and new and login fail: " .. what, function()
      local path = workspace.folder .. "/mine"
      local options = { base_url = workspace.box.url, store = file.new(path) }
      os.remove(path)
      local client = assert(devkit4ai.new(options))
      write(path, text)
      local function login() return client:login(command.EMAIL, command.PASSWORD) end
      for _, call in ipairs { devkit4ai.new, login } do
        local done, message, err = call(options)
        assert.is_nil(done)
        assert.same({ "file", "not_sent" }, { err.kind, err.outcome })
        assert.is_truthy(message:find("not a store of sessions", 1, true), message)
      end
      client:close()
      assert.equal(text, child.read(path))
    end)
  end

  it("stays, and the command's login fails", function()
    local path = workspace.folder .. "/devkit4ai/sessions.json"
    os.execute(("mkdir -p '%s/devkit4ai'"):format(workspace.folder))
    write(path, "mine")
    local login = { "login", "--email", command.EMAIL, "--password-stdin" }
    local ended = workspace:run(login, { input = command.PASSWORD .. "\n" })
    assert.equal(1, ended.code, ended.err)
    assert.is_truthy(ended.err:find("remove that file", 1, true), ended.err)
    assert.equal("mine", child.read(path))
  end)
end)
