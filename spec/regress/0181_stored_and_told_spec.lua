-- Stored values that the commands do not use: a login if the environment has a token, a key if the environment has another
-- key. Stored values that standard output could not show: a key, the keys of a new account.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"

describe("the command", function()
  local workspace
  before_each(function() workspace = command.new { step_time = 0.05 } end)
  after_each(function() workspace:remove() end)

  local function has(text, fragment) assert.is_truthy(text:find(fragment, 1, true), text) end

  it("login warns of a token that the commands use instead", function()
    local input = { input = command.PASSWORD .. "\n", env = { DEVKIT4AI_JWT_TOKEN = "old" } }
    local ended = workspace:run({ "login", "--email", command.EMAIL, "--password-stdin" }, input)
    assert.equal(0, ended.code)
    has(ended.err, "the environment variable DEVKIT4AI_JWT_TOKEN still holds a token")
    assert.equal("", workspace:login().err)
  end)

  it("keys --new --save warns of a key with priority, and of another project in the settings", function()
    workspace:login()
    local ended = workspace:run { "keys", "--new", "one", "--save" }
    has(ended.err, "the environment variable DEVKIT4AI_PROJECT_KEY holds another key")
    local free = { DEVKIT4AI_PROJECT_KEY = false, DEVKIT4AI_PROJECT_ID = false }
    local id = workspace.developer.project_id
    workspace:run({ "config", "--set", "project_id=" .. id }, { env = free })
    assert.equal("", workspace:run({ "keys", "--new", "two", "--save" }, { env = free }).err)
    local other = workspace:run({ "projects", "--new", "Other" }).out:match "%S+"
    ended = workspace:run({ "keys", "--new", "three", "--save", "--project", other }, { env = free })
    has(ended.err, "devkit4ai config --set project_id=" .. other)
  end)

  it("keys --save and --rotate name the file of a key that standard output could not show", function()
    workspace:login()
    local free = { DEVKIT4AI_PROJECT_KEY = false }
    local full = { before = "exec >/dev/full", env = free }
    local ended = workspace:run({ "keys", "--new", "one", "--save" }, full)
    local file = workspace.folder .. "/devkit4ai/config"
    assert.equal(1, ended.code)
    has(ended.err, "is in " .. file .. ", but standard output can't be written")
    local before = child.read(file)
    ended = workspace:run({ "keys", "--rotate", "two", "--save", "-q" }, full)
    assert.equal(1, ended.code)
    has(ended.err, "is in " .. file .. ", but standard output can't be written")
    assert.not_equal(before, child.read(file))
  end)

  it("register stores the keys that standard output could not show, also beside other keys", function()
    local function register(email, ...)
      return workspace:run({ "register", "--email", email, "--password-stdin", ... }, {
        before = "exec >/dev/full", input = command.PASSWORD .. "\n",
        env = { DEVKIT4AI_OPERATOR_KEY = workspace.box.operator_key, DEVKIT4AI_DEVELOPER_KEY = false },
      })
    end
    local ended = register("one@example.com", "--save")
    assert.equal(1, ended.code)
    has(ended.err, "its keys are in " .. workspace.folder .. "/devkit4ai/config, but")
    for i, more in ipairs { "-q", "--json" } do
      ended = register("two" .. i .. "@example.com", more)
      assert.equal(1, ended.code)
      local file = ended.err:match "They are in (%S+/keys%-%S+%.env)\n"
      local lines = file and child.read(file) or ended.err
      for _, name in ipairs { "DEVELOPER_KEY=ak_", "PROJECT_ID=", "PROJECT_KEY=pk_" } do
        has(lines, "export DEVKIT4AI_" .. name)
      end
    end
  end)
end)
