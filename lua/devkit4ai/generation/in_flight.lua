--- Generations in flight, per client: create requests without a response, generations that have not finished, and calls that
--- wait for one of them to finish. A call holds its own entry: an entry of a call that an error ended is collected.
local limits = require "devkit4ai.api.limits"
local waits = require "devkit4ai.loop.waits"

local M = {}

---@class devkit4ai.InFlight what a client has in flight; `client._in_flight`, which this module alone writes
---@field created table<string, devkit4ai.InFlightGeneration> by id; generations that this client created
---@field order string[] ids of `created`, the oldest first; ids that have left it are between them
---@field first integer place of the first id in `order`
---@field last integer place of the last one
---@field waited table<string, devkit4ai.WaitedGeneration> by id; weak values: each gen:wait holds its entry
---@field requests table<devkit4ai.CreateRequest, true> weak keys: create requests without a response
---@field waiters table<devkit4ai.CapacityWaiter, true> weak keys: create calls that wait for a generation to finish

---@class devkit4ai.InFlightGeneration
---@field gen devkit4ai.Generation
---@field since number of waits.now()

---@class devkit4ai.WaitedGeneration: devkit4ai.InFlightGeneration
---@field callers integer calls of gen:wait

---@class devkit4ai.CreateRequest an identity without fields

---@class devkit4ai.CapacityWaiter
---@field may_send boolean a generation finished, and this call may send its request in its place

local WEAK_KEYS, WEAK_VALUES = { __mode = "k" }, { __mode = "v" }

-- A finished generation lets one waiting call send its request, not all of them.
local function finish(state, id)
  if not (state.created[id] or state.waited[id]) then return end
  state.created[id], state.waited[id] = nil, nil
  for waiter in pairs(state.waiters) do
    if not waiter.may_send then
      waiter.may_send = true
      return
    end
  end
end

local function new_state(client)
  local state = {
    created = {}, order = {}, first = 1, last = 0, waited = setmetatable({}, WEAK_VALUES),
    requests = setmetatable({}, WEAK_KEYS), waiters = setmetatable({}, WEAK_KEYS),
  }
  client._in_flight = state
  return state
end

-- Removes generations that nobody has waited for: those at the front of the order, so that a call does not look at all.
local function remove_old(state)
  local oldest = waits.now() - limits.MAX_GENERATION_TIME
  while state.first <= state.last do
    local id = state.order[state.first]
    local entry = state.created[id]
    if entry and entry.since >= oldest then return end
    state.order[state.first], state.first = nil, state.first + 1
    if entry then finish(state, id) end
  end
  state.first, state.last = 1, 0
end

-- rawget: an end user's client inherits the fields of its developer's client.
local function state_of(client)
  local state = rawget(client, "_in_flight") or new_state(client)
  if state.last > 0 then remove_old(state) end
  return state
end

--- Adds a generation that the server accepted.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation
function M.add(client, gen)
  local state = state_of(client)
  state.created[gen.id] = { gen = gen, since = waits.now() }
  state.last = state.last + 1
  state.order[state.last] = gen.id
end

--- Notes that a caller waits for a generation, which another run of the program may have created.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation
---@return devkit4ai.WaitedGeneration entry for end_wait; the caller must hold it
function M.begin_wait(client, gen)
  local waited = state_of(client).waited
  local entry = waited[gen.id] or { gen = gen, since = waits.now(), callers = 0 }
  waited[gen.id], entry.callers = entry, entry.callers + 1
  return entry
end

--- Notes that the caller's wait ended.
---@param client devkit4ai.Client
---@param entry devkit4ai.WaitedGeneration
function M.end_wait(client, entry)
  local waited = state_of(client).waited
  entry.callers = entry.callers - 1
  if entry.callers == 0 and waited[entry.gen.id] == entry then waited[entry.gen.id] = nil end
end

--- Removes a generation that finished, or that the client can't see any more.
---@param client devkit4ai.Client
---@param id string
function M.remove(client, id)
  local state = rawget(client, "_in_flight")
  if state then finish(state, id) end
end

--- The generation that is in flight for the longest time.
---@param client devkit4ai.Client
---@return devkit4ai.Generation?
function M.oldest(client)
  local state, oldest = state_of(client), nil
  for _, entries in ipairs { state.created, state.waited } do
    for _, entry in pairs(entries) do
      if not oldest or entry.since < oldest.since then oldest = entry end
    end
  end
  return oldest and oldest.gen
end

local function is_busy(state)
  return next(state.created) ~= nil or next(state.waited) ~= nil or next(state.requests) ~= nil
end

--- Whether a 429 may be about the client's own generations in flight.
---@param client devkit4ai.Client
---@return boolean
function M.is_busy(client)
  return is_busy(state_of(client))
end

--- Adds a create request.
---@param client devkit4ai.Client
---@return devkit4ai.CreateRequest request for end_request; the caller must hold it
---@return boolean busy whether other work of the client was in flight before
function M.begin_request(client)
  local state, request = state_of(client), {}
  local busy = is_busy(state)
  state.requests[request] = true
  return request, busy
end

--- Removes a create request: the server answered, or the request failed.
---@param client devkit4ai.Client
---@param request devkit4ai.CreateRequest
function M.end_request(client, request)
  state_of(client).requests[request] = nil
end

--- Adds a create call that waits for a generation in flight to finish.
---@param client devkit4ai.Client
---@return devkit4ai.CapacityWaiter waiter for remove_waiter; the caller must hold it
function M.add_waiter(client)
  local waiter = { may_send = false }
  state_of(client).waiters[waiter] = true
  return waiter
end

--- Removes a waiting create call.
---@param client devkit4ai.Client
---@param waiter devkit4ai.CapacityWaiter
function M.remove_waiter(client, waiter)
  state_of(client).waiters[waiter] = nil
end

return M
