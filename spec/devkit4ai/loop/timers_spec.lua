-- Sleeping slots, in bundles of a millisecond.
local new = require("devkit4ai.loop.timers").new
local timers = require "devkit4ai.loop.timers"

-- Numbers that look random and are the same each time.
local function numbers(seed)
  return function(most)
    seed = (seed * 16807) % 2147483647
    return seed % most + 1
  end
end

-- The milliseconds of all slots, as they are taken out when each moment has come.
local function drain(set)
  local order = {}
  while set.first do
    local bundle = timers.take(set, set.first)
    for _, slot in ipairs(bundle or {}) do
      if slot then order[#order + 1] = slot.name end
    end
  end
  return order
end

local function sorted(list)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  table.sort(copy)
  return copy
end

local function add(set, name)
  local slot = { name = name }
  timers.add(set, slot, name / 1000 + 0.0005)
  return slot
end

describe("timers", function()
  it("give the earliest first", function()
    local set = new()
    for _, name in ipairs { 5, 1, 4, 1, 3, 2 } do add(set, name) end
    assert.same({ 1, 1, 2, 3, 4, 5 }, drain(set))
  end)

  it("give nothing before its time, and then all of that millisecond", function()
    local set = new()
    for _, name in ipairs { 7, 7, 9 } do add(set, name) end
    assert.is_nil(timers.take(set, 0.0069))
    assert.equal(2, #timers.take(set, 0.0071))
    assert.is_nil(timers.take(set, 0.0071))
    assert.is_true(math.abs(set.first - 0.009) < 1e-9)
  end)

  it("have what is due at once at once", function()
    local set, slot = new(), {}
    timers.add(set, slot, 12.3456789)
    assert.equal(slot, timers.take(set, 12.3456789)[1])
    assert.is_nil(set.first)
  end)

  it("let any slot leave early, in any order", function()
    local random = numbers(42)
    for _ = 1, 200 do
      local set, slots, left = new(), {}, {}
      for i = 1, 30 do slots[i] = add(set, random(50)) end
      for i = 1, 30 do
        if random(3) == 1 then timers.remove(set, slots[i]) else left[#left + 1] = slots[i].name end
      end
      assert.same(sorted(left), drain(set))
    end
  end)

  it("do not mind a slot that is not in, or leaves twice", function()
    local set, slot = new(), { name = 1 }
    timers.remove(set, slot)
    timers.add(set, slot, 1)
    timers.remove(set, slot)
    timers.remove(set, slot)
    assert.same({}, drain(set))
  end)

  it("take a slot again that was in before", function()
    local set, slot = new(), { name = "again" }
    timers.add(set, slot, 1)
    timers.remove(set, slot)
    timers.add(set, slot, 1)
    assert.same({ "again" }, drain(set))
    timers.add(set, slot, 2)
    assert.same({ "again" }, drain(set))
    timers.remove(set, slot)
  end)

  it("keep nothing of those that are over", function()
    local set = new()
    for i = 1, 100 do add(set, i % 10) end
    drain(set)
    assert.same({}, set.bundles)
    assert.same({}, set.heap)
  end)

  it("keep the others when a slot is taken out that found no memory to come in", function()
    local all, other, failed = timers.new(), {}, {}
    timers.add(all, other, 1)
    failed.due, failed.place = other.due, 2 -- as timers.add leaves them, if the bundle can't grow
    timers.remove(all, failed)
    assert.same({ other }, timers.all(all))
  end)
end)
