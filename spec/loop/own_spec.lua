-- How to wait in scripts and in frames.
local raw = require "spec.support.raw"

local function sleeper(runtime, order)
  return function(name, seconds)
    runtime.sleep(seconds, {})
    order[#order + 1] = name
  end
end

insulate("in a script", function()
  local devkit4ai = require "devkit4ai"
  local runtime = require "devkit4ai.runtime"
  local loop = require "devkit4ai.loop.own"

  it("sleepers wake in the order of their times", function()
    local order, tasks = {}, {}
    local nap = sleeper(runtime, order)
    for i, seconds in ipairs { 0.06, 0.02, 0.04, 0, 0.08 } do
      tasks[i] = devkit4ai.spawn(nap, i, seconds)
    end
    for i = 1, 5 do tasks[i]:join() end
    assert.same({ 4, 2, 3, 1, 5 }, order)
  end)

  it("a wake before the park counts, once", function()
    local slot = {}
    loop.wake(slot)
    assert.is_true(loop.park(slot, math.huge))
    assert.is_false(loop.park(slot, 0.001))
  end)

  it("park says whether it was woken, in the main thread and in a task", function()
    local slot, other = {}, {}
    devkit4ai.spawn(function() loop.wake(slot) end)
    assert.is_true(loop.park(slot, math.huge))
    assert.is_false(loop.park(slot, 0.001))
    local task = devkit4ai.spawn(function() return loop.park(other, math.huge), loop.park(other, 0.001) end)
    runtime.sleep(0.001, {})
    loop.wake(other)
    local woken, late = task:join()
    assert.same({ true, false }, { woken, late })
  end)

  it("two wakes before the park are one", function()
    local slot = {}
    loop.wake(slot)
    loop.wake(slot)
    assert.is_true(loop.park(slot, math.huge))
    assert.is_false(loop.park(slot, 0.001))
  end)

  it("a task that another one makes ready has its turn without a wait", function()
    local slot, order = {}, {}
    local a = devkit4ai.spawn(function() loop.park(slot, math.huge) order[#order + 1] = "a" end)
    local b = devkit4ai.spawn(function() order[#order + 1] = "b" loop.wake(slot) end)
    a:join()
    b:join()
    assert.same({ "b", "a" }, order)
  end)
end)

insulate("in frames", function()
  local devkit4ai = require "devkit4ai"
  local runtime = require "devkit4ai.runtime"
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
    local nap = sleeper(runtime, order)
    for i, seconds in ipairs { 0.03, 0.01, 0.02 } do devkit4ai.spawn(nap, i, seconds) end
    frames_until(function() return #order == 3 end)
    assert.same({ 2, 3, 1 }, order)
  end)

  it("an update runs each task that is ready once, so that none holds the frame up", function()
    local turns, stop = 0, false
    devkit4ai.spawn(function()
      while not stop do
        turns = turns + 1
        runtime.sleep(0, {})
      end
    end)
    devkit4ai.update()
    assert.equal(1, turns)
    devkit4ai.update()
    assert.equal(2, turns)
    stop = true
    devkit4ai.update()
  end)

  it("the main program may also call and wait", function()
    local client = devkit4ai.new { base_url = server.url, access_token = "t" }
    devkit4ai.update()
    assert(client:me())
    client:close()
  end)
end)
