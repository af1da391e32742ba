--- A binary heap of slots by the time at which they are due; a slot knows its place, so that it can leave early.
local M = {}

local function place(heap, at, slot)
  heap[at] = slot
  slot.place = at
end

local function rise(heap, at, slot)
  while at > 1 do
    local above = math.floor(at / 2)
    if heap[above].due <= slot.due then break end
    place(heap, at, heap[above])
    at = above
  end
  place(heap, at, slot)
end

local function sink(heap, at, slot)
  local count = #heap
  while true do
    local below = at * 2
    if below > count then break end
    if below < count and heap[below + 1].due < heap[below].due then below = below + 1 end
    if heap[below].due >= slot.due then break end
    place(heap, at, heap[below])
    at = below
  end
  place(heap, at, slot)
end

---@param heap table a list that this module alone changes
---@param slot table
---@param due number on the loop's clock
function M.add(heap, slot, due)
  slot.due = due
  rise(heap, #heap + 1, slot)
end

--- Takes a slot out; one that is not in is fine.
function M.remove(heap, slot)
  local at, last = slot.place, heap[#heap]
  if not at then return end
  slot.place = nil
  heap[#heap] = nil
  if last == slot then return end
  if at > 1 and heap[math.floor(at / 2)].due > last.due then rise(heap, at, last) else sink(heap, at, last) end
end

return M
