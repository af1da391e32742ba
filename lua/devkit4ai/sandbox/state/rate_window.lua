--- Fixed-window rate limiter. A window begins with the first event after the end of the last one.
local M = {}

---@class devkit4ai.sandbox.RateWindow
---@field limit integer  events that a window allows
---@field private _seconds integer  the length of a window
---@field private _now fun(): number
---@field private _records devkit4ai.sandbox.Records
---@field private _kind string  of the records
---@field private _counters table<string, { used: integer, ends: integer }>  by key
local RateWindow = {}
RateWindow.__index = RateWindow

---@param limit integer? events that a window allows; nil: any number
---@param seconds integer the length of a window
---@param now fun(): number Unix time
---@param records devkit4ai.sandbox.Records
---@param name string of the limit
---@return devkit4ai.sandbox.RateWindow? window nil: no limit
function M.new(limit, seconds, now, records, name)
  if not limit then return nil end
  local self = setmetatable({
    limit = limit, _seconds = seconds, _now = now, _records = records, _kind = name, _counters = {},
  }, RateWindow)
  for key, counter in records:each(name) do self._counters[key] = counter end
  return self
end

-- The counter of a key's current window; nil: no window is open.
function RateWindow:_current(key, now)
  local counter = self._counters[key]
  return counter and now < counter.ends and counter or nil
end

--- Counts an event.
---@param key string? the owner of the window; nil: the window that all clients share
---@return integer? seconds until the window ends, where the limit is exceeded
function RateWindow:hit(key)
  local now = self._now()
  key = key or ""
  local counter = self:_current(key, now)
  if not counter then
    counter = { used = 0, ends = math.floor(now) + self._seconds }
    self._counters[key] = counter
  end
  counter.used = counter.used + 1
  self._records:put(self._kind, key, counter)
  if counter.used > self.limit then return math.ceil(counter.ends - now) end
end

--- How many events the shared window still allows.
---@return integer
function RateWindow:remaining()
  local counter = self:_current("", self._now())
  return counter and math.max(0, self.limit - counter.used) or self.limit
end

--- When the shared window ends: Unix time in whole seconds. A window that has not begun would begin now.
---@return integer
function RateWindow:reset_time()
  local now = self._now()
  local counter = self:_current("", now)
  return counter and counter.ends or math.floor(now) + self._seconds
end

return M
