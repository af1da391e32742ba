--- Cache of result images. An image is drawn when it is first fetched; one drawing runs at a time, in small steps.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local image_renderer = require "devkit4ai.sandbox.images.image_renderer"

local M = {}

---@class devkit4ai.sandbox.ImageCache
---@field private _entries table<string, { finished: table, ok: boolean?, png: string? }>  by seed
---@field private _seeds string[]  of the entries, oldest first
---@field private _last_ticket integer  of the newest drawing
---@field private _current_ticket integer  of the drawing that may run
---@field private _ticket_changed table  a condition
local ImageCache = {}
ImageCache.__index = ImageCache

local CAPACITY = 32 -- images; an older one is drawn again, with the same bytes

---@return devkit4ai.sandbox.ImageCache
function M.new()
  return setmetatable({
    _entries = {}, _seeds = {}, _last_ticket = 0, _current_ticket = 1, _ticket_changed = condition.new(),
  }, ImageCache)
end

local function yield_to_others()
  cqueues.sleep(0)
end

-- Draws after all drawings that were requested before. If they ran side by side, all would end late.
function ImageCache:_draw(seed)
  local ticket = self._last_ticket + 1
  self._last_ticket = ticket
  while self._current_ticket ~= ticket do self._ticket_changed:wait() end
  local ok, png = pcall(image_renderer.draw, seed, yield_to_others)
  self._current_ticket = ticket + 1
  self._ticket_changed:signal()
  return assert(ok and png, png)
end

--- The PNG of a seed. The coroutine waits while it is drawn; several callers share one drawing.
---@param seed string
---@return string
function ImageCache:get(seed)
  local entry = self._entries[seed]
  if not entry then
    entry = { finished = condition.new() }
    self._entries[seed] = entry
    table.insert(self._seeds, seed)
    if #self._seeds > CAPACITY then self._entries[table.remove(self._seeds, 1)] = nil end
    entry.ok, entry.png = pcall(self._draw, self, seed)
    if not entry.ok then self._entries[seed] = nil end -- the next caller tries again
    entry.finished:signal()
  end
  while entry.ok == nil do entry.finished:wait() end
  return entry.ok and entry.png or error(entry.png, 0)
end

return M
