-- The game of examples/love in LÖVE itself, on a virtual screen, with the gateway of examples/nginx and a sandbox. LÖVE is
-- large, so the tests do not install it: without it, these tests are skipped (tools/packages love).
local child = require "spec.support.process.child"
local games = require "spec.support.love.game"
local gateways = require "spec.support.servers.gateway"
local raw = require "spec.support.servers.raw"

local PNG = "\137PNG\r\n\26\n"
local ORDERS = "devkit4ai-orders"

local SIGN_UP = [[
  local player = ...
  player.wait_for "New account"
  player.type "EMAIL"
  player.press "tab"
  player.type "SecurePass123"
  player.wait_for "*************"
  player.click "New account"
  player.wait_for "Make the image"
]]
local ORDER_IMAGE = [[
  player.drop "examples/images/mountains.png"
  player.drop "examples/images/neon.png"
  player.type "a harbour at night"
  player.wait_for "a harbour at night"
  player.click "Make the image"
]]
local WAIT_FOR_ID = [[
  player.wait(function()
    local name = love.filesystem.getDirectoryItems "devkit4ai-orders"[1]
    return (name and love.filesystem.read("devkit4ai-orders/" .. name) or ""):find "\n%x+%-[%x-]+$"
  end)
]]
-- Ends the process as kill -9 does.
local DIE = [[
  local ffi = require "ffi"
  ffi.cdef "int kill(int pid, int signal); int getpid(void);"
  ffi.C.kill(ffi.C.getpid(), 9)
]]

describe("the game in LÖVE", function()
  local missing = games.missing()
  if missing then
    it("is not tested", function() pending(missing) end)
    return
  end

  local screen, gateway, game
  local players = 0

  lazy_setup(function()
    screen, gateway = games.screen(), gateways.start "--step-time 0"
  end)
  lazy_teardown(function()
    screen.stop()
    local log = gateway:error_log() .. gateway:access_log()
    for name, value in gateway.settings:gmatch "DEVKIT4AI_([%u_]+_KEY)=(%S+)" do
      assert(not log:find(value, 1, true), name)
    end
    gateway:stop()
  end)
  before_each(function() game = games.new(screen) end)
  after_each(function() game:remove() end)

  local function sign_up()
    players = players + 1
    return (SIGN_UP:gsub("EMAIL", ("player%d@example.com"):format(players)))
  end

  local function play(text, options)
    options = options or {}
    options.play, options.gateway = text, options.gateway or gateway.origin
    local ended = game:play(options)
    if ended.code ~= (options.code or 0) then error(("code %s: %s%s"):format(ended.code, ended.out, ended.err)) end
    return ended.out
  end

  -- The files of the orders.
  local function orders()
    local folder, texts = ("%s/love/devkit4ai-studio/%s"):format(game.home, ORDERS), {}
    for i, name in ipairs(child.list(folder)) do texts[i] = child.read(folder .. "/" .. name) end
    return texts
  end

  it("signs up, sends dropped images, shows and saves the result", function()
    local slow = gateways.start "--step-time 2"
    finally(function() slow:stop() end)
    local out = play(sign_up() .. ORDER_IMAGE .. [[
      player.wait_for "In the queue"
      player.wait_for "The image is being made"
      player.take "love-during.png"
      player.wait_for "Save"
      for _ = 1, 70 do player.wait() end
      player.take "love.png"
      player.click "Save"
      player.wait_for "Saved as "
      player.say(#player.frames > 30)
    ]], { gateway = slow.origin })
    assert.equal("true\n", out)
    assert.equal(1, slow:generated())
    local id = orders()[1]:match "\n([%x-]+)$"
    assert.equal(PNG, game:saved(id .. ".png"):sub(1, 8))
    for _, secret in ipairs { "ak_", "pk_", "SecurePass123" } do
      assert.is_nil(child.read(game.home .. "/love/devkit4ai-studio/devkit4ai-session"):find(secret, 1, true))
    end
  end)

  it("goes on after kill -9 just after its order was accepted", function()
    local before = gateway:generated()
    play(sign_up() .. ORDER_IMAGE .. WAIT_FOR_ID .. DIE, { code = 137 })
    play [[
      local player = ...
      player.wait_for "Save"
    ]]
    assert.equal(before + 1, gateway:generated())
  end)

  it("finds its order after kill -9 while nobody knows whether it arrived", function()
    local before = gateway:generated()
    gateway:sandbox("faults", { operation = "create_generation", cut = "after" })
    gateway:sandbox("faults", { operation = "list_generations", delay = 60 })
    local finish = game:start { play = sign_up() .. ORDER_IMAGE .. "player.wait_for 'never'", gateway = gateway.origin }
    repeat until #gateway:sandbox("faults").faults == 0 -- both were hit
    game:kill()
    assert.equal(137, finish().code)
    play [[
      local player = ...
      player.wait_for "Save"
    ]]
    assert.equal(before + 1, gateway:generated())
  end)

  it("finishes an order that may be paid, where the player orders again, clicks twice and drops images", function()
    local before = gateway:generated()
    gateway:sandbox("faults", { operation = "create_generation", cut = "after" })
    gateway:sandbox("faults", { operation = "list_generations", status = 503, times = 3 })
    play(sign_up() .. ORDER_IMAGE .. [[
      player.click "Make the image"
      player.drop "examples/images/neon.png"
      player.wait_for "Service Unavailable"
      player.click "Make the image"
      player.click "Make the image"
      player.wait_for "This is your last order."
    ]])
    assert.equal(before + 1, gateway:generated())
    play [[
      local player = ...
      player.wait_for "Make the image"
      local studio = require "studio"
      local last = studio.result
      player.drop "examples/images/neon.png"
      player.type "a cave"
      player.wait_for "a cave"
      player.press "return"
      player.wait(function() return studio.result ~= last end)
    ]]
    assert.equal(before + 2, gateway:generated())
    assert.equal(1, #orders())
  end)

  it("says that the server does not have an order, and forgets it", function()
    gateway:sandbox("faults", { operation = "create_generation", cut = "before" })
    play(sign_up() .. [[
      local devkit4ai = require "devkit4ai"
      local sleep = devkit4ai.sleep
      function devkit4ai.sleep() return sleep(0) end
    ]] .. ORDER_IMAGE .. [[
      player.wait_for "The server does not have your last order."
    ]])
    assert.same({}, orders())
  end)

  it("shows failures as sentences, and goes on", function()
    play(sign_up() .. [[
      player.type "a cave [fail: too dark]"
      player.drop "examples/images/neon.png"
      player.wait_for "a cave"
      player.press "return"
      player.wait_for "too dark"
      player.wait_for "Make the image"
      player.drop "README.md"
      player.wait()
      player.wait()
      player.press "return"
      player.wait_for "not a JPEG, PNG or WebP image"
    ]])
    assert.same({}, orders())
    play([[
      local player = ...
      player.wait_for "New account"
      player.type "a@example.com"
      player.press "tab"
      player.type "SecurePass123"
      player.wait_for "*************"
      player.press "return"
      player.wait_for "The server can't be reached."
    ]], { gateway = "http://127.0.0.1:1" })
  end)

  it("shows all texts in a small window", function()
    assert.equal("true\ttrue\n", play([[
      local player = ...
      love.window.setMode(640, 480)
      player.wait_for "New account"
      player.type "somebody.with.a.long.address@images-from-a-harbour.example.com"
      player.wait_for ".example.com"
      assert(not player.sees "somebody", "the address is cut to the lines of its box")
      for _ = 1, 70 do player.press "backspace" end
      player.wait_for "E-mail"
      player.wait()
    ]] .. sign_up():gsub("^%s*local player = ...", "") .. [[
      player.drop "README.md"
      player.type(("a harbour at night, "):rep(20))
      player.wait()
      player.wait()
      player.press "return"
      player.wait_for "not a JPEG, PNG or WebP image"
      player.say(player.right <= 640, player.bottom <= 480)
    ]]))
  end)

  it("goes on with two updates in a frame, and after a frame of 10 s", function()
    local before = gateway:generated()
    play(sign_up() .. [[
      local devkit4ai = require "devkit4ai"
      local update = devkit4ai.update
      function devkit4ai.update()
        update()
        update()
      end
    ]] .. ORDER_IMAGE .. [[
      player.wait_for "Sending"
      love.timer.sleep(10)
      player.wait_for "Save"
    ]])
    assert.equal(before + 1, gateway:generated())
  end)

  it("ends at once when its window is closed during TLS", function()
    local silent = raw.start { script = "return function(conn) conn:read(1) conn:sleep(60) end" }
    finally(function() silent:stop() end)
    play([[
      local player = ...
      player.wait_for "New account"
      player.type "a@example.com"
      player.wait_for "a@example.com"
      player.press "return"
      player.wait_for "Logging in"
      for _ = 1, 10 do player.wait() end
    ]], { gateway = silent.url:gsub("^http:", "https:") })
  end)

  it("says so if the save folder can't be written", function()
    play([[
      local player = ...
      player.wait_for "save folder can't be written"
      player.press "return"
      player.wait()
      assert(player.sees "New account")
    ]], { home = "/dev/null" })
    local before = gateway:generated()
    play(sign_up() .. [[
      love.filesystem.write("devkit4ai-orders", "a file in place of the folder")
    ]] .. ORDER_IMAGE .. [[player.wait_for "nothing was sent"]])
    assert.equal(before, gateway:generated())
  end)

  -- The C module beside the program; the tree's paths are not set.
  for name, is_fused in pairs { ["a .love"] = false, ["a fused program"] = true } do
    it("runs as " .. name .. ", with a love.thread and an image in it", function()
      os.execute("cp examples/images/neon.png " .. game.folder)
      local path = game:pack(is_fused)
      local out = play([[
        local player = ...
        player.wait_for "New account"
        local devkit4ai, helper = require "devkit4ai", require "devkit4ai.love"
        local client = devkit4ai.new { access_token = "t", base_url = "http://127.0.0.1:1" }
        local function failure(image)
          local _, message = client:generate_anonymous { images = { image }, prompt = "x" }
          return message
        end
        player.say(failure "neon.png")
        player.say(failure(assert(helper.image "neon.png")):match "127.0.0.1 port 1")
        player.say(failure(assert(helper.image(love.image.newImageData(2, 2):encode "png"))):match "127.0.0.1 port 1")
        player.say(select(2, helper.image "missing.png"))
        local result = love.thread.newChannel()
        love.thread.newThread([=[
          require "devkit4ai.love"
          local client = require("devkit4ai").new { access_token = "t", base_url = "http://127.0.0.1:1" }
          local result, _, message = ..., client:me()
          result:push(message)
        ]=]):start(result)
        player.wait(function() return result:getCount() > 0 end)
        player.say(result:pop():match "127.0.0.1 port 1")
        local done
        devkit4ai.spawn(function()
          done = { helper.decode(love.filesystem.read "neon.png"), select(2, helper.decode "RIFF1234WEBP"),
            select(2, helper.decode "text") }
        end)
        player.wait(function() return done end)
        player.say(done[1]:getWidth(), done[2])
        player.say(done[3] ~= nil)
      ]], { command = is_fused and path or "love " .. path })
      local lines = {}
      for line in out:gmatch "[^\n]+" do lines[#lines + 1] = line end
      assert.matches('neon.png is a file of the game, .* love.filesystem.read%("neon.png"%)', lines[1])
      assert.same({ "127.0.0.1 port 1", "127.0.0.1 port 1" }, { lines[2], lines[3] })
      assert.matches("missing.png can't be read", lines[4])
      assert.equal("127.0.0.1 port 1", lines[5])
      assert.matches("^%d+\tdevkit4ai.love: LÖVE can't decode WebP", lines[6])
      assert.equal("true", lines[7])
    end)
  end
end)
