-- The whole workflow on Windows, in a script and from a program's own frames, on Lua 5.4 and LuaJIT: the server counts what is paid.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local wine = require "spec.windows.wine"

-- In front of each script: its client, and a generation. url, key: of the sandbox. image: a path.
local BEGIN = [[
local url, key, email, image, out = ...
local devkit4ai = require "devkit4ai"
local sent, total, calls = 0, 0, 0
local function on_upload(now, all) sent, total, calls = now, all, calls + 1 end
local function register()
  local client = assert(devkit4ai.new { base_url = url, operator_key = key })
  local account = assert(client:register { email = email, password = "SecurePass123" })
  client = assert(devkit4ai.new { base_url = url, developer_key = account.developer_key })
  assert(client:login(email, "SecurePass123"))
  local project = assert(client:new_project { name = "A game" })
  assert(project:new_key "Key")
  return project
end
]]

local SCRIPT = BEGIN .. [[
local gen = assert(register():generate { images = { image }, prompt = "in winter", on_upload = on_upload })
local seen = {}
assert(gen:wait { on_progress = function(one) seen[#seen + 1] = one.status end })
assert(gen:save(out))
print(seen[#seen], sent == total, calls > 0)
]]

-- A frame never waits for the network: while the server makes the response wait for a second, frames go by.
local FRAMES = BEGIN .. [[
local frames, frames_of_create, finished = 0, 0, false
local function play()
  local project = register()
  local before = frames
  local gen = assert(project:generate { images = { image }, prompt = "in winter", on_upload = on_upload })
  frames_of_create = frames - before
  assert(gen:wait())
  assert(gen:save(out))
  return gen.status
end
devkit4ai.update()
local task = devkit4ai.spawn(function()
  local done, result = pcall(play)
  finished = true
  return assert(done and result, result)
end)
while not finished do
  devkit4ai.update()
  frames = frames + 1
  require("devkit4ai.core").pause(0.005)
end
print(task:join(), sent == total, calls > 0, frames_of_create > 2)
]]

describe("on Windows", function()
  local box, folder, count = nil, nil, 0
  setup(function()
    wine.unpack()
    folder = wine.folder()
  end)
  before_each(function() box = helper.start { step_time = 0.1 } end)
  after_each(helper.stop_all)
  teardown(wine.remove_all)

  local function args(out)
    count = count + 1
    local image = wine.path(helper.shell("pwd"):match "[^\n]+" .. "/" .. helper.PNG)
    return { box.url, box.operator_key, ("dev%d@example.com"):format(count), image, wine.path(out) }
  end

  -- What the server saw: one generation, made by one request, and one download.
  local function check_paid_once(out)
    local creates, pictures = 0, 0
    for _, request in ipairs(assert(box:requests())) do
      if request.operation == "create_generation" then creates = creates + 1 end
      if request.operation == "picture" then pictures = pictures + 1 end
    end
    assert.same({ 1, 1 }, { #box:generations(), creates })
    assert.is_true(pictures <= 1)
    assert.truthy(child.read(out):find("^\137PNG\r\n\26\n.*IEND....$"))
  end

  for _, lua in ipairs { "lua5.4", "luajit" } do
    it("a script registers, sends an image and saves the result, on " .. lua, function()
      local out = folder .. "/script " .. lua .. ".png"
      assert.equal("completed\ttrue\ttrue\n", wine.succeed(lua, SCRIPT, { args = args(out) }))
      check_paid_once(out)
    end)

    it("frames go on while the server makes a generation wait, on " .. lua, function()
      local out = folder .. "/frames " .. lua .. ".png"
      box:fault { operation = "create_generation", delay = 1 }
      assert.equal("completed\ttrue\ttrue\ttrue\n", wine.succeed(lua, FRAMES, { args = args(out) }))
      check_paid_once(out)
    end)
  end
end)
