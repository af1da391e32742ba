-- What was stored, and is not used or not told: a login behind a token of the environment, a saved key behind one of the
-- environment or beside another project's id, a saved key that standard output did not take, the keys of a new account.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"

describe("the command", function()
  local desk
  before_each(function() desk = command.new { step_time = 0.05 } end)
  after_each(function() desk:remove() end)

  local function has(text, words) assert.is_truthy(text:find(words, 1, true), text) end

  it("login tells of a token that the commands use in its place", function()
    local input = { input = command.PASSWORD .. "\n", env = { DEVKIT4AI_JWT_TOKEN = "old" } }
    local ended = desk:run({ "login", "--email", command.EMAIL, "--password-stdin" }, input)
    assert.equal(0, ended.code)
    has(ended.err, "the environment variable DEVKIT4AI_JWT_TOKEN still holds a token")
    assert.equal("", desk:login().err)
  end)

  it("keys --new --save tells of a key that goes before it, and of another project in the settings", function()
    desk:login()
    local ended = desk:run { "keys", "--new", "one", "--save" }
    has(ended.err, "the environment variable DEVKIT4AI_PROJECT_KEY holds another key")
    local free = { DEVKIT4AI_PROJECT_KEY = false, DEVKIT4AI_PROJECT_ID = false }
    local id = desk.developer.project_id
    desk:run({ "config", "--set", "project_id=" .. id }, { env = free })
    assert.equal("", desk:run({ "keys", "--new", "two", "--save" }, { env = free }).err)
    local other = desk:run({ "projects", "--new", "Other" }).out:match "%S+"
    ended = desk:run({ "keys", "--new", "three", "--save", "--project", other }, { env = free })
    has(ended.err, "devkit4ai config --set project_id=" .. other)
  end)

  it("a saved key that standard output did not take is named with its file, also by --rotate", function()
    desk:login()
    local free = { DEVKIT4AI_PROJECT_KEY = false }
    local full = { before = "exec >/dev/full", env = free }
    local ended = desk:run({ "keys", "--new", "one", "--save" }, full)
    local file = desk.folder .. "/devkit4ai/config"
    assert.equal(1, ended.code)
    has(ended.err, "is in " .. file .. ", but standard output can't be written")
    local before = child.read(file)
    ended = desk:run({ "keys", "--rotate", "two", "--save", "-q" }, full)
    assert.equal(1, ended.code)
    has(ended.err, "is in " .. file .. ", but standard output can't be written")
    assert.not_equal(before, child.read(file))
  end)

  it("register: a file keeps the keys that standard output did not take, also beside other keys", function()
    local function register(email, ...)
      return desk:run({ "register", "--email", email, "--password-stdin", ... }, {
        before = "exec >/dev/full", input = command.PASSWORD .. "\n",
        env = { DEVKIT4AI_OPERATOR_KEY = desk.box.operator_key, DEVKIT4AI_DEVELOPER_KEY = false },
      })
    end
    local ended = register("one@example.com", "--save")
    assert.equal(1, ended.code)
    has(ended.err, "its keys are in " .. desk.folder .. "/devkit4ai/config, but")
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
