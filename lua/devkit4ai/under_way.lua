--- Which generations of a client were accepted and have not ended yet, as far as it saw.
local runtime = require "devkit4ai.runtime"

local M = {}

local LONGEST = 900 -- seconds; the slowest documented generation takes 600 (CONTRACT 5.2)

-- of this very client: an end user's looks like its developer's otherwise
local function list_of(client)
  local list = rawget(client, "_under_way")
  if not list then
    list = {}
    client._under_way = list
  end
  local oldest = runtime.now() - LONGEST
  for id, entry in pairs(list) do
    if entry.since < oldest then list[id] = nil end
  end
  return list
end

--- A generation was accepted.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation
function M.add(client, gen)
  list_of(client)[gen.id] = { gen = gen, since = runtime.now() }
end

--- It ended, or nobody can see it any more.
---@param client devkit4ai.Client
---@param id string
function M.remove(client, id)
  local list = rawget(client, "_under_way")
  if list then list[id] = nil end
end

--- The one that was accepted first, and how many there are.
---@param client devkit4ai.Client
---@return devkit4ai.Generation?
---@return integer count
function M.first(client)
  local first, count = nil, 0
  for _, entry in pairs(list_of(client)) do
    count = count + 1
    if not first or entry.since < first.since then first = entry end
  end
  return first and first.gen, count
end

return M
