--- Slots by the time at which they are due, in bundles of a millisecond: of many sleepers most share one, and only the
--- bundles are kept in order; waking at most once a millisecond takes 0.35 to 0.8 x the CPU (measured).
local M = {}

local GRAIN = 1000 -- bundles a second
M.GRAIN = GRAIN

-- Nothing below calls a C function: it would ask for 20 places more on a sleeping task's stack, which then doubles.

--- No slots yet. `first`: when the earliest bundle is due, on the loop's clock; nil: there is none.
function M.new()
  return { bundles = {}, heap = {}, first = nil }
end

local function rise(heap, key)
  local at = #heap + 1
  while at > 1 do
    local above = (at - at % 2) / 2
    local other = heap[above]
    if other <= key then break end
    heap[at], at = other, above
  end
  heap[at] = key
end

-- Takes the least key out.
local function sink(heap)
  local count = #heap
  local key = heap[count]
  heap[count] = nil
  count = count - 1
  local at, below = 1, 2
  while below <= count do
    local other = heap[below]
    if below < count and heap[below + 1] < other then
      below = below + 1
      other = heap[below]
    end
    if other >= key then break end
    heap[at], at, below = other, below, below * 2
  end
  if count > 0 then heap[at] = key end
end

--- A slot is in one place at most.
---@param timers table M.new's
---@param slot table
---@param due number on the loop's clock; within a millisecond before that it is taken out
function M.add(timers, slot, due)
  local key = due * GRAIN
  key = key - key % 1
  local bundle = timers.bundles[key]
  if bundle then
    local place = #bundle + 1
    slot.due, slot.place = key, place
    bundle[place] = slot
  else
    rise(timers.heap, key) -- first: a key without a bundle is harmless, a bundle without a key never ends
    timers.first = timers.heap[1] / GRAIN
    slot.due, slot.place = key, 1
    timers.bundles[key] = { slot }
  end
end

--- Takes a slot out; one that is not in is fine. Among others it leaves a place that goes with their bundle.
function M.remove(timers, slot)
  local key = slot.due
  local bundle = key and timers.bundles[key]
  slot.due = nil
  if not bundle or bundle[slot.place] ~= slot then return end -- add found no memory: the slot is not in
  if #bundle == 1 then timers.bundles[key] = nil else bundle[slot.place] = false end
end

--- Every slot that is in.
---@param timers table
---@return table[] slots
function M.all(timers)
  local slots = {}
  for _, bundle in pairs(timers.bundles) do
    for _, slot in ipairs(bundle) do slots[#slots + 1] = slot or nil end
  end
  return slots
end

--- Takes out a bundle that is due.
---@param timers table
---@param now number on the loop's clock
---@return (table|false)[]? slots false: one that left before; nil: none is due
function M.take(timers, now)
  local heap, bundles = timers.heap, timers.bundles
  local key, bundle = heap[1], nil
  while key and key <= now * GRAIN and not bundle do
    bundle, bundles[key] = bundles[key], nil
    sink(heap)
    key = heap[1]
  end
  timers.first = key and key / GRAIN
  for i = 1, bundle and #bundle or 0 do
    if bundle[i] then bundle[i].due = nil end
  end
  return bundle
end

return M
