--- What a client has under way, as far as it saw: orders that were not answered yet, generations that have not ended, and
--- who waits for room among them. Whoever orders or waits holds its own entry: one that is gone, by an error or a host that
--- ended its coroutine, is not counted.
local runtime = require "devkit4ai.runtime"

local M = {}

local LONGEST = 900 -- seconds; the slowest documented generation takes 600 (CONTRACT 5.2)

local HELD = { __mode = "k" }

-- One that has ended gives room to one that waits, not to all of them.
local function end_one(state, id)
  if not state.generations[id] then return end
  state.generations[id] = nil
  for waiter in pairs(state.waiters) do
    if not waiter.room then
      waiter.room = true
      return
    end
  end
end

-- of this very client: an end user's looks like its developer's otherwise
local function state_of(client)
  local state = rawget(client, "_under_way")
  if not state then
    state = { generations = {}, orders = setmetatable({}, HELD), waiters = setmetatable({}, HELD) }
    client._under_way = state
  end
  local oldest = runtime.now() - LONGEST
  for id, entry in pairs(state.generations) do
    if entry.since < oldest then end_one(state, id) end
  end
  return state
end

--- A generation was accepted.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation
function M.add(client, gen)
  state_of(client).generations[gen.id] = { gen = gen, since = runtime.now() }
end

--- It ended, or nobody can see it any more.
---@param client devkit4ai.Client
---@param id string
function M.remove(client, id)
  if rawget(client, "_under_way") then end_one(client._under_way, id) end
end

--- The one that was accepted first.
---@param client devkit4ai.Client
---@return devkit4ai.Generation?
function M.first(client)
  local first
  for _, entry in pairs(state_of(client).generations) do
    if not first or entry.since < first.since then first = entry end
  end
  return first and first.gen
end

--- Whether a limit may be met by what this client itself has under way.
---@param client devkit4ai.Client
---@return boolean
function M.is_busy(client)
  local state = state_of(client)
  return next(state.generations) ~= nil or next(state.orders) ~= nil
end

--- An order goes out.
---@param client devkit4ai.Client
---@return table order for M.answered
function M.order(client)
  local order = {}
  state_of(client).orders[order] = true
  return order
end

--- It was answered, or failed.
---@param client devkit4ai.Client
---@param order table
function M.answered(client, order)
  state_of(client).orders[order] = nil
end

--- Somebody waits for room.
---@param client devkit4ai.Client
---@return { room: boolean } waiter room: one has ended, and its place is this one's
function M.enter(client)
  local waiter = { room = false }
  state_of(client).waiters[waiter] = true
  return waiter
end

--- It waits no more.
---@param client devkit4ai.Client
---@param waiter table
function M.leave(client, waiter)
  state_of(client).waiters[waiter] = nil
end

return M
