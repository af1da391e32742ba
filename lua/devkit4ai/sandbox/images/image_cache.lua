--- The pictures of finished generations: drawn when one is first fetched, one after another, a slice at a time so that
--- the server goes on answering, and kept for a while.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local picture = require "devkit4ai.sandbox.images.image_renderer"

local M = {}
local Pictures = {}
Pictures.__index = Pictures

local KEPT = 32 -- pictures in memory; another drawing of an older one gives the same bytes

function M.new()
  return setmetatable({ entries = {}, order = {}, last = 0, turn = 1, turned = condition.new() }, Pictures)
end

local function breathe()
  cqueues.sleep(0)
end

-- Draws when all drawings that were asked for before are done. Drawn side by side, all would be done last.
function Pictures:draw(seed)
  local number = self.last + 1
  self.last = number
  while self.turn ~= number do self.turned:wait() end
  local drawn, png = pcall(picture.draw, seed, breathe)
  self.turn = number + 1
  self.turned:signal()
  return assert(drawn and png, png)
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
    entry.fine, entry.png = pcall(self.draw, self, seed)
    if not entry.fine then self.entries[seed] = nil end
    entry.drawn:signal()
  end
  while entry.fine == nil do entry.drawn:wait() end
  return entry.fine and entry.png or error(entry.png, 0)
end

return M
