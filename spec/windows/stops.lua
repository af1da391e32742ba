-- Ctrl-C on Windows ends a call that waits, in a script and in the command.
local helper = require "spec.devkit4ai.sandbox.helper"
local wine = require "spec.windows.wine"

local WAIT = [[
local url, developer_key, project_id, project_key, token, image = ...
local devkit4ai = require "devkit4ai"
local client = assert(devkit4ai.new { base_url = url, developer_key = developer_key, project_id = project_id,
  project_key = project_key, access_token = token })
local gen = assert(client:generate { images = { image }, prompt = "in winter" })
print("created", gen.id)
io.stdout:flush()
gen:wait()
print "never printed"
]]

describe("on Windows", function()
  local box, developer, image
  setup(wine.unpack)
  before_each(function()
    box = helper.start { step_time = 0.1 }
    developer = assert(box:developer { email = "dev@example.com", password = helper.PASSWORD })
    image = wine.path(helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG)
    box:fault { operation = "create_generation", hang = true }
  end)
  after_each(helper.stop_all)
  teardown(wine.remove_all)

  for _, lua in ipairs { "lua5.4", "luajit" } do
    it("Ctrl-C ends a script that waits for a generation, on " .. lua, function()
      local process = wine.start(lua, WAIT, { args = { box.url, developer.developer_key, developer.project_id,
        developer.project_key, developer.access_token, image } })
      process:await_output "created"
      process:signal "INT"
      local ended = process:finish()
      assert.equal(1, ended.code)
      assert.truthy(ended.err:find("interrupted!", 1, true), ended.err)
      assert.is_nil(ended.out:find("never", 1, true))
      assert.equal(1, #box:generations())
    end)
  end

  it("Ctrl-C ends the command, which names the generation", function()
    local process = wine.start("lua5.4", 'require("devkit4ai.cli").main(arg)', {
      args = { "generate", image, "--prompt", "in winter", "--json", "--out", "never.png" },
      env = { DEVKIT4AI_BASE_URL = box.url, DEVKIT4AI_DEVELOPER_KEY = developer.developer_key,
        DEVKIT4AI_PROJECT_ID = developer.project_id, DEVKIT4AI_PROJECT_KEY = developer.project_key,
        DEVKIT4AI_JWT_TOKEN = developer.access_token },
    })
    repeat
      local seen = false -- the command has the id: it asks for the status
      for _, request in ipairs(assert(box:requests())) do
        seen = seen or request.operation == "get_generation_status"
      end
    until seen or process:has_ended()
    process:signal "INT"
    local ended = process:finish()
    assert.equal(8, ended.code, ended.err) -- paid, and not saved
    assert.truthy(ended.err:find("devkit4ai: interrupted", 1, true), ended.err)
    assert.truthy(ended.out:find('"kind":"cancelled"', 1, true), ended.out)
    assert.truthy(ended.out:find(box:generations()[1].id, 1, true), ended.out)
    assert.equal(1, #box:generations())
  end)
end)
