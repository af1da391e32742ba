--- What a client has under way, as far as it saw: orders that were not answered yet, generations that have not ended (its
--- own, and those that a caller waits for), and who waits for room among them. Whoever orders or waits holds its own entry:
--- one that is gone, by an error or a host that ended its coroutine, is not counted.
local waits = require "devkit4ai.loop.waits"

local M = {}

local LONGEST = 900 -- seconds; the slowest documented generation takes 600 (wire.md 5.2)

local HELD, HELD_VALUE = { __mode = "k" }, { __mode = "v" }

-- One that has ended gives room to one that waits, not to all of them.
local function end_one(state, id)
  if not (state.generations[id] or state.watched[id]) then return end
  state.generations[id], state.watched[id] = nil, nil
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
    state = {
      generations = {}, watched = setmetatable({}, HELD_VALUE),
      orders = setmetatable({}, HELD), waiters = setmetatable({}, HELD),
    }
    client._under_way = state
  end
  local oldest = waits.now() - LONGEST
  for id, entry in pairs(state.generations) do
    if entry.since < oldest then end_one(state, id) end
  end
  return state
end

--- A generation was accepted.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation
function M.add(client, gen)
  state_of(client).generations[gen.id] = { gen = gen, since = waits.now() }
end

--- A caller waits for a generation to end. Another run of the program may have ordered it.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation
---@return table entry for M.unwatch; the generation counts while a caller holds it
function M.watch(client, gen)
  local watched = state_of(client).watched
  local entry = watched[gen.id] or { gen = gen, since = waits.now(), callers = 0 }
  watched[gen.id], entry.callers = entry, entry.callers + 1
  return entry
end

--- The caller waits no more.
---@param client devkit4ai.Client
---@param entry table
function M.unwatch(client, entry)
  local watched = state_of(client).watched
  entry.callers = entry.callers - 1
  if entry.callers == 0 and watched[entry.gen.id] == entry then watched[entry.gen.id] = nil end
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
  local state, first = state_of(client), nil
  for _, entries in ipairs { state.generations, state.watched } do
    for _, entry in pairs(entries) do
      if not first or entry.since < first.since then first = entry end
    end
  end
  return first and first.gen
end

--- Whether a limit may be met by what this client itself has under way.
---@param client devkit4ai.Client
---@return boolean
function M.is_busy(client)
  local state = state_of(client)
  return next(state.generations) ~= nil or next(state.watched) ~= nil or next(state.orders) ~= nil
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
