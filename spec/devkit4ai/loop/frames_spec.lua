-- Programs with frames: devkit4ai.update() never waits, and what is ready goes on in it.
local raw = require "spec.support.servers.raw"

local function sleeper(waits, order)
  return function(name, seconds)
    waits.sleep(seconds)
    order[#order + 1] = name
  end
end

insulate("in frames", function()
  local devkit4ai = require "devkit4ai"
  local waits = require "devkit4ai.loop.waits"
  local server
  setup(function()
    server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
  end)
  teardown(function() server:stop() end)

  local function frames_until(done)
    local count = 0
    while not done() do
      devkit4ai.update()
      count = count + 1
    end
    return count
  end

  it("calls of tasks complete while the program only updates", function()
    local client, ids = devkit4ai.new { base_url = server.url, access_token = "t" }, {}
    for i = 1, 3 do
      devkit4ai.spawn(function()
        for _ = 1, 3 do table.insert(ids, assert(client:me()).id) end
        table.insert(ids, i)
      end)
    end
    assert.is_true(frames_until(function() return #ids == 12 end) > 1)
    client:close()
  end)

  it("sleepers wake in the order of their times", function()
    local order = {}
    local nap = sleeper(waits, order)
    for i, seconds in ipairs { 0.3, 0.1, 0.2 } do devkit4ai.spawn(nap, i, seconds) end
    frames_until(function() return #order == 3 end)
    assert.same({ 2, 3, 1 }, order)
  end)

  it("an update runs each task that is ready once, so that none holds the frame up", function()
    local turns, stop = 0, false
    devkit4ai.spawn(function()
      while not stop do
        turns = turns + 1
        waits.sleep(0)
      end
    end)
    devkit4ai.update()
    assert.equal(1, turns)
    devkit4ai.update()
    assert.equal(2, turns)
    stop = true
    devkit4ai.update()
  end)

  it("no update waits for a server that does not answer", function()
    local silent = raw.start { script = "return function(conn) conn:read_head() conn:sleep(1000) end" }
    finally(function() silent:stop() end)
    local client = devkit4ai.new { base_url = silent.url, access_token = "t", retry = { attempts = 1 } }
    local err
    devkit4ai.spawn(function() err = select(3, client:me()) end)
    frames_until(function() return #silent:requests() == 1 end)
    for _ = 1, 1000 do devkit4ai.update() end -- if they waited, the call would reach its time limit
    assert.is_nil(err)
    client:close()
    frames_until(function() return err end)
    assert.equal("cancelled", err.kind)
  end)

  it("two updates in a frame make no call twice", function()
    local before, client, ids = #server:requests(), devkit4ai.new { base_url = server.url, access_token = "t" }, {}
    for _ = 1, 3 do devkit4ai.spawn(function() table.insert(ids, assert(client:me()).id) end) end
    frames_until(function()
      devkit4ai.update()
      return #ids == 3
    end)
    for _ = 1, 10 do devkit4ai.update() end
    assert.equal(3, #ids)
    assert.equal(3, #server:requests() - before)
    client:close()
  end)

  it("an update in a callback of a task is refused at its line, and the call goes on", function()
    local id, ok, why
    local client = devkit4ai.new { base_url = server.url, access_token = "t", on_event = function()
      ok, why = pcall(devkit4ai.update)
    end }
    devkit4ai.spawn(function() id = assert(client:me()).id end)
    frames_until(function() return id end)
    assert.is_false(ok)
    assert.matches("frames_spec.lua:%d+: devkit4ai: devkit4ai.update: .*not in a task or its callbacks", why)
    client:close()
  end)

  it("the main program, which waits for its own call, may update in a callback of that call", function()
    local ran = 0
    local client = devkit4ai.new { base_url = server.url, access_token = "t", on_event = function()
      devkit4ai.spawn(function() ran = ran + 1 end)
      devkit4ai.update()
    end }
    assert(client:me())
    assert.is_true(ran > 0)
    client:close()
  end)

  it("a frame of three seconds, under limits of two, finds the answers that came meanwhile", function()
    local held = raw.start { script = [[return function(conn)
      conn:read_request()
      conn:hold()
      conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" })
    end]] }
    finally(function() held:stop() end)
    local answers = {}
    for limit in pairs { total = true, idle = true } do
      local client = devkit4ai.new { base_url = held.url, access_token = "t", timeout = { [limit] = 2 } }
      devkit4ai.spawn(function() table.insert(answers, { client:me() }) end)
    end
    frames_until(function() return #held:requests() == 2 end)
    held:release()
    os.execute("sleep 3")
    frames_until(function() return #answers == 2 end)
    for _, answer in ipairs(answers) do assert.is_table(answer[1], answer[2]) end
  end)

  it("the main program may also call and wait", function()
    local client = devkit4ai.new { base_url = server.url, access_token = "t" }
    devkit4ai.update()
    assert(client:me())
    client:close()
  end)
end)
