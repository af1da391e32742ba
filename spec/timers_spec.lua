-- The heap of sleepers.
local timers = require "devkit4ai.timers"

-- Numbers that look random and are the same each time.
local function numbers(seed)
  return function(most)
    seed = (seed * 16807) % 2147483647
    return seed % most + 1
  end
end

local function drain(heap)
  local order = {}
  while heap[1] do
    order[#order + 1] = heap[1].due
    timers.remove(heap, heap[1])
  end
  return order
end

local function sorted(list)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  table.sort(copy)
  return copy
end

describe("timers", function()
  it("give the earliest first", function()
    local heap = {}
    for _, due in ipairs { 5, 1, 4, 1, 3, 2 } do timers.add(heap, {}, due) end
    assert.same({ 1, 1, 2, 3, 4, 5 }, drain(heap))
  end)

  it("let any slot leave early, in any order", function()
    local random = numbers(42)
    for _ = 1, 200 do
      local heap, slots, left = {}, {}, {}
      for i = 1, 30 do
        slots[i] = {}
        timers.add(heap, slots[i], random(50))
      end
      for i = 1, 30 do
        if random(3) == 1 then timers.remove(heap, slots[i]) else left[#left + 1] = slots[i].due end
      end
      assert.same(sorted(left), drain(heap))
    end
  end)

  it("do not mind a slot that is not in, or leaves twice", function()
    local heap, slot = {}, {}
    timers.remove(heap, slot)
    timers.add(heap, slot, 1)
    timers.remove(heap, slot)
    timers.remove(heap, slot)
    assert.same({}, heap)
  end)

  it("take a slot again that was in before", function()
    local heap, slot = {}, {}
    timers.add(heap, slot, 1)
    timers.remove(heap, slot)
    timers.add(heap, slot, 2)
    assert.same({ 2 }, drain(heap))
  end)
end)
