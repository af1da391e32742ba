-- The command on Windows: settings, a login and a generation; what needs Unix says so.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local wine = require "spec.windows.wine"

describe("the command on Windows", function()
  local box, developer, folder, image
  setup(wine.unpack)
  before_each(function()
    box = helper.start { step_time = 0 }
    developer = assert(box:developer { email = "dev@example.com", password = helper.PASSWORD })
    folder = wine.folder()
    child.remove(wine.settings_folder())
    image = wine.path(helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG)
  end)
  after_each(helper.stop_all)
  teardown(wine.remove_all)

  local function run(args, input)
    return wine.run("lua5.4", 'require("devkit4ai.cli").main(arg)', { args = args, input = input, env = {
      DEVKIT4AI_BASE_URL = box.url, DEVKIT4AI_DEVELOPER_KEY = developer.developer_key,
      DEVKIT4AI_PROJECT_ID = developer.project_id, DEVKIT4AI_PROJECT_KEY = developer.project_key,
    } })
  end

  it("keeps settings and the login in APPDATA, and makes an image", function()
    local ended = run { "config", "--set", "role=developer" }
    assert.equal(0, ended.code, ended.err)
    assert.equal("role = developer\n", child.read(wine.settings_folder() .. "/config"))
    ended = run({ "login", "--email", "dev@example.com", "--password-stdin" }, helper.PASSWORD .. "\r\n")
    assert.equal(0, ended.code, ended.err)
    assert.same({ "config", "sessions.json" }, child.list(wine.settings_folder()))
    ended = run { "generate", image, "--prompt", "B\195\164ume", "--out", wine.path(folder .. "/f\195\188nf.png") }
    assert.equal(0, ended.code, ended.err)
    assert.matches("^\137PNG\r\n\26\n.*IEND....$", child.read(folder .. "/f\195\188nf.png"))
    assert.equal(1, #box:generations())
    assert.truthy(box:generations()[1].instructions:find("B\195\164ume", 1, true), box:generations()[1].instructions)
  end)

  it("writes an image to standard output without a change", function()
    local logged_in = run({ "login", "--email", "dev@example.com", "--password-stdin" }, helper.PASSWORD .. "\n")
    assert.equal(0, logged_in.code, logged_in.err)
    local process = wine.start("lua5.4", 'require("devkit4ai.cli").main(arg)', {
      args = { "generate", image, "--prompt", "x", "--out", "-" }, env = {
        DEVKIT4AI_BASE_URL = box.url, DEVKIT4AI_DEVELOPER_KEY = developer.developer_key,
        DEVKIT4AI_PROJECT_ID = developer.project_id, DEVKIT4AI_PROJECT_KEY = developer.project_key,
      } })
    local ended = process:finish()
    assert.equal(0, ended.code, ended.err)
    assert.matches("^\137PNG\r\n\26\n.*IEND....$", child.read(process.output))
  end)

  it("says that the sandbox needs Unix", function()
    for _, name in ipairs { "sandbox", "quickstart" } do
      local ended = run { name }
      assert.equal(1, ended.code, ended.err)
      assert.truthy(ended.err:find("the sandbox needs Unix", 1, true), ended.err)
    end
  end)
end)
