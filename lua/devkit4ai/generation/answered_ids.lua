--- Ids of generations whose create request was answered: the last 1,000 of each developer's client. find_generation does not
--- take one of them for the generation of a lost response.
local M = {}

local MOST = 1000 -- ids: those of find's margin, at 16 generations a second

---@class devkit4ai.AnsweredIds `client._answered_ids`, which this module alone writes
---@field position integer of the newest id in the ring
---@field ring string[]
---@field set table<string, true>

-- The clients of a project's end users share the record of the developer's client.
local function owner_of(client)
  return client._project and owner_of(client._project._client) or client
end

local function record_of(client)
  local owner = owner_of(client)
  owner._answered_ids = owner._answered_ids or { position = 0, ring = {}, set = {} }
  return owner._answered_ids
end

--- Adds an id; the oldest one goes if there are too many.
---@param client devkit4ai.Client
---@param id string
function M.add(client, id)
  local record = record_of(client)
  record.position = record.position % MOST + 1
  local oldest = record.ring[record.position]
  if oldest then record.set[oldest] = nil end
  record.ring[record.position], record.set[id] = id, true
end

--- Removes an id: its caller could not note it, and will look for the generation.
---@param client devkit4ai.Client
---@param id string
function M.remove(client, id)
  record_of(client).set[id] = nil
end

--- The ids.
---@param client devkit4ai.Client
---@return table<string, true>
function M.set(client)
  return record_of(client).set
end

return M
