--- The pictures of finished generations: drawn when one is first fetched, a slice at a time so that the server
--- goes on answering, and kept for a while.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local picture = require "devkit4ai.sandbox.picture"

local M = {}
local Pictures = {}
Pictures.__index = Pictures

local KEPT = 32 -- pictures in memory; another drawing of an older one gives the same bytes

function M.new()
  return setmetatable({ entries = {}, order = {} }, Pictures)
end

local function breathe()
  cqueues.sleep(0)
end

--- The PNG of a seed. Suspends the caller while it is drawn; many callers share one drawing.
---@param seed string
---@return string
function Pictures:get(seed)
  local entry = self.entries[seed]
  if not entry then
    entry = { drawn = condition.new() }
    self.entries[seed] = entry
    table.insert(self.order, seed)
    if #self.order > KEPT then self.entries[table.remove(self.order, 1)] = nil end
    entry.png = picture.draw(seed, breathe)
    entry.drawn:signal()
  end
  while not entry.png do entry.drawn:wait() end
  return entry.png
end

return M
