--- Counts what happens in windows of time, one after another; each begins with the first that falls into it.
local M = {}

---@class devkit4ai.sandbox.Window
---@field limit integer
local Window = {}
Window.__index = Window

---@param limit integer? how many a window lets through; nil: any number, which needs no counting
---@param seconds integer the length of a window
---@param clock fun(): number Unix time
---@return devkit4ai.sandbox.Window?
function M.new(limit, seconds, clock)
  return limit and setmetatable({ limit = limit, seconds = seconds, clock = clock, counts = {} }, Window)
end

-- The count of a key in the window that is open now; nil where none is.
function Window:count(key, now)
  local count = self.counts[key]
  return count and now < count.ends and count or nil
end

--- Counts one more; where the window is used up, the seconds until the next one is let through.
---@param key string? who it is counted for; nil: everybody together
---@return integer?
function Window:take(key)
  local now = self.clock()
  key = key or ""
  local count = self:count(key, now)
  if not count then
    count = { used = 0, ends = math.floor(now) + self.seconds }
    self.counts[key] = count
  end
  count.used = count.used + 1
  if count.used > self.limit then return math.ceil(count.ends - now) end
end

--- How many more everybody's window lets through.
---@return integer
function Window:left()
  local count = self:count("", self.clock())
  return count and math.max(0, self.limit - count.used) or self.limit
end

--- When everybody's window ends, Unix time in whole seconds; one that has not begun would begin now.
---@return integer
function Window:ends()
  local now = self.clock()
  local count = self:count("", now)
  return count and count.ends or math.floor(now) + self.seconds
end

return M
