-- The orders of devkit4ai.love: none is paid twice, and none is lost. LÖVE itself is not needed here: love.filesystem is a
-- folder, and each client is a player of a sandbox. spec/examples/love_spec.lua plays a game in LÖVE.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local sandboxes = require "devkit4ai.sandbox"

local ORDERS = "/devkit4ai-orders"
local IMAGES = { "examples/images/neon.png" }

describe("devkit4ai.love", function()
  local sandbox, keys, folder, disk_is_full, sleeps
  local players, sleep = 0, devkit4ai.sleep

  local function path_of(name) return folder .. "/" .. name end
  local function write(name, text, mode)
    local file = io.open(path_of(name), mode)
    if not file then return nil, "it can't be written" end
    if disk_is_full then text = text:sub(1, 10) end
    file:write(text)
    file:close()
    return not disk_is_full or nil, "the disk is full"
  end

  local filesystem = {
    getSourceBaseDirectory = function() return "/nowhere" end,
    getSaveDirectory = function() return folder end,
    createDirectory = function(name) return os.execute("mkdir -p " .. path_of(name)) end,
    getDirectoryItems = function(name) return child.list(path_of(name)) end,
    getInfo = function() return nil end,
    read = function(name)
      local file = io.open(path_of(name), "rb")
      local text = file and file:read "*a"
      if file then file:close() end
      return text
    end,
    write = function(name, text) return write(name, text, "wb") end,
    append = function(name, text) return write(name, text, "ab") end,
    remove = function(name) return os.remove(path_of(name)) end,
  }

  local helper
  setup(function()
    sandbox = assert(sandboxes.start { step_time = 0 })
    keys = assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
    local path = package.cpath
    rawset(_G, "love", { filesystem = filesystem })
    helper = require "devkit4ai.love"
    package.cpath = path
    function devkit4ai.sleep(seconds) -- the looks come at once, and their pauses are counted
      sleeps = sleeps + seconds
      return sleep(0)
    end
  end)
  teardown(function()
    sandbox:stop()
    rawset(_G, "love", nil)
    package.loaded["devkit4ai.love"], devkit4ai.sleep = nil, sleep
  end)
  before_each(function()
    folder, disk_is_full, sleeps = child.folder(), false, 0
    sandbox:clear_faults()
  end)
  after_each(function() child.remove(folder) end)

  -- A client of a new player; with an address, of that player in another start of the game.
  local function player(email)
    local client = assert(devkit4ai.new { base_url = sandbox.url, role = "end_user", project_id = keys.project_id,
      developer_key = keys.developer_key, project_key = keys.project_key })
    players = players + 1
    local its_email = email or ("player%d@example.com"):format(players)
    if not email then assert(client:register { email = its_email, password = "SecurePass123" }) end
    assert(client:login(its_email, "SecurePass123"))
    return client, its_email
  end

  local function generate(client, prompt)
    return helper.generate(client, { images = IMAGES, prompt = prompt })
  end

  -- Generations that the server has created with a prompt.
  local function generated(prompt)
    local count = 0
    for _, gen in ipairs(sandbox:generations()) do
      if gen.instructions:find(('"prompt":"%s"'):format(prompt), 1, true) then count = count + 1 end
    end
    return count
  end

  local function files() return child.list(folder .. ORDERS) end

  -- Loses the response of the next order, and the server can't be reached while the helper looks.
  local function lose_response(client, prompt)
    sandbox:fault { operation = "create_generation", cut = "after" }
    sandbox:fault { operation = "list_generations", status = 503, times = 3 }
    local gen, _, err = generate(client, prompt)
    assert.is_nil(gen)
    assert.equal("server", err.kind)
    assert.equal(1, generated(prompt))
  end

  it("keeps an order until it is forgotten", function()
    local client, email = player()
    local gen = assert(generate(client, "a harbour"))
    assert.equal(1, #files())
    assert.equal(gen.id, assert(helper.resume(client)).id)
    assert.equal(gen.id, assert(helper.resume((player(email)))).id)
    helper.forget(gen)
    assert.same({}, files())
    assert.is_nil(helper.resume(client))
  end)

  it("finds an order whose response was lost, also after the next orders", function()
    local client, email = player()
    lose_response(client, "lost")
    local second = assert(generate(client, "second\nwith two lines"))
    local third = assert(generate(client, "third"))
    helper.forget(second)
    helper.forget(third)
    local first = assert(helper.resume((player(email))))
    assert.is_truthy(first.instructions:find('"lost"', 1, true))
    helper.forget(first)
    assert.same({}, files())
    assert.equal(1, generated "lost")
  end)

  it("looks for two minutes, and then forgets an order that never arrived", function()
    local client = player()
    sandbox:fault { operation = "create_generation", cut = "before" }
    local gen, _, err = generate(client, "never")
    assert.is_nil(gen)
    assert.equal("not_found", err.kind)
    assert.is_true(sleeps > 120, sleeps) -- nginx waits so long for the API
    assert.same({}, files())
    assert.equal(0, generated "never")
  end)

  it("finds an order after any response that is no usable answer", function()
    local client = player()
    local faults = { { cut = "during" }, { cut = "after", reset = true }, { broken = true },
      { html = true, work = true } }
    for _, status in ipairs { 302, 402, 408, 418, 500, 502, 504 } do
      faults[#faults + 1] = { status = status, work = true }
    end
    for i, fault in ipairs(faults) do
      fault.operation = "create_generation"
      sandbox:fault(fault)
      local gen, message = generate(client, "unusable " .. i)
      assert(gen, i .. ": " .. tostring(message))
      helper.forget(gen)
      assert.equal(1, generated("unusable " .. i))
    end
  end)

  it("pays once where the session ends during the upload, and nothing where it is over", function()
    local client = player()
    local function order(prompt, seconds)
      return helper.generate(client, { images = IMAGES, prompt = prompt, on_upload = function()
        if seconds then sandbox:advance(seconds) end
        seconds = nil
      end })
    end
    sandbox:fault { operation = "create_generation", delay = 0.3 }
    assert(order("during a session", 3600))
    assert.equal(1, generated "during a session")
    sandbox:advance(30 * 24 * 3600)
    local gen, _, err = order "after a session"
    assert.is_nil(gen)
    assert.equal("auth", err.kind)
    assert.equal(0, generated "after a session")
    assert.equal(1, #files())
  end)

  it("forgets an order that the server refused, or that was not sent", function()
    local client = player()
    for _, status in ipairs { 400, 401, 403, 409, 413, 422 } do
      sandbox:fault { operation = "create_generation", status = status, times = 2 }
      assert.is_nil((generate(client, "refused")))
      sandbox:clear_faults()
      assert.same({}, files(), status)
    end
    assert.is_nil((helper.generate(client, { images = { "README.md" }, prompt = "x" })))
    assert.same({}, files())
  end)

  it("waits for a generation that its server does not show yet", function()
    local client, email = player()
    local gen = assert(generate(client, "new"))
    sandbox:fault { operation = "get_generation_status", status = 404, times = 3 }
    assert.equal(gen.id, assert(helper.resume((player(email)))).id)
    assert.equal(1, #files())
    sandbox:fault { operation = "create_generation", cut = "after" }
    sandbox:fault { operation = "list_generations", status = 404, times = 2 }
    sandbox:fault { operation = "list_generations", status = 409, times = 2 } -- as if the list had gaps
    assert(generate(client, "late"))
    assert.equal(1, generated "late")
  end)

  it("leaves another player's orders alone", function()
    local client, email = player()
    local gen = assert(generate(client, "mine"))
    lose_response(client, "mine, and lost")
    local other = player()
    assert.is_nil(helper.resume(other))
    assert.equal(2, #files())
    local own, lost = player(email), nil
    for _ = 1, 2 do
      local found = assert(helper.resume(own))
      if found.id ~= gen.id then lost = found end
      helper.forget(found)
    end
    assert.is_truthy(lost.instructions:find("mine, and lost", 1, true))
  end)

  it("looks for no order that another copy of the game is sending", function()
    local client, email = player()
    local copy, seen = player(email), nil
    local gen = assert(helper.generate(client, { images = IMAGES, prompt = "slow", on_upload = function()
      seen = seen or { helper.resume(copy) }
    end }))
    assert.same({}, seen)
    assert.equal(0, sleeps)
    assert.equal(gen.id, assert(helper.resume(copy)).id)
  end)

  for name, seconds in pairs { ["years behind"] = -1e8, ["years ahead"] = 1e8, ["two days ahead"] = 2e5 } do
    it("finds an order where the player's clock is " .. name, function()
      local client, time = player(), os.time
      os.time = function(...) return time(...) + (... and 0 or seconds) end -- luacheck: ignore 122
      finally(function() os.time = time end) -- luacheck: ignore 122
      sandbox:fault { operation = "create_generation", cut = "after" }
      assert(generate(client, "at any time, " .. name))
      assert.equal(1, generated("at any time, " .. name))
    end)
  end

  it("sends nothing if the order can't be kept, and finds an order whose id could not be kept", function()
    local client, email = player()
    disk_is_full = true
    local gen, message = generate(client, "not kept")
    assert.is_nil(gen)
    assert.matches("nothing was sent: the disk is full", message)
    assert.equal(0, generated "not kept")

    disk_is_full = false
    gen = assert(helper.generate(client, { images = IMAGES, prompt = "half kept", on_upload = function()
      disk_is_full = true
    end }))
    disk_is_full = false
    assert.equal(gen.id, assert(helper.resume((player(email)))).id)
    assert.equal(gen.id, assert(helper.resume((player(email)))).id)
    helper.forget(gen)
    assert.is_nil(helper.resume(client))
    assert.equal(1, generated "half kept")
  end)

  it("ignores damaged files of orders", function()
    local client = player()
    local gen = assert(generate(client, "whole"))
    for i, text in ipairs { "", "x", "a\n5\nab", "\0\n1\n", "a\n999999999999999999999\nabc\n" } do
      write(("devkit4ai-orders/%d-000000000"):format(i), text, "wb")
    end
    write("devkit4ai-orders/note.txt", "x\n0\n\n", "wb")
    assert.equal(gen.id, assert(helper.resume(client)).id)
  end)
end)
