-- How to wait in scripts; frames are in spec/frames_spec.lua.
local function sleeper(waits, order)
  return function(name, seconds)
    waits.sleep(seconds)
    order[#order + 1] = name
  end
end

insulate("in a script", function()
  local devkit4ai = require "devkit4ai"
  local waits = require "devkit4ai.loop.waits"
  local loop = require "devkit4ai.loop.hosts.own"

  it("sleepers wake in the order of their times", function()
    local order, tasks = {}, {}
    local nap = sleeper(waits, order)
    for i, seconds in ipairs { 0.3, 0.1, 0.2, 0, 0.4 } do -- far apart: a busy machine pauses between spawns
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
    waits.sleep(0.001)
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
