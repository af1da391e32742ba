--- Counts of a batch: how many jobs are done, running, failed and undecided, how fast they end, and the time left. Pure: the
--- clock is an argument.

---@class devkit4ai.batch.Counts how many jobs there are of each kind now
---@field total integer jobs
---@field done integer jobs whose file is there
---@field running integer jobs that this run sends, waits for or saves now
---@field failed integer jobs that ended without an image
---@field undecided integer jobs whose fate is unknown
---@field rate number? jobs that ended per second in the last ten minutes; nil: none did
---@field seconds_left number? until all jobs have ended, at this rate; nil: the rate is not known
---@field private _started number
---@field private _ended table<integer, integer> how many jobs ended, by the slice of time
local Counts = {}
Counts.__index = Counts

local M = {}

local WINDOW = 600 -- seconds: the rate is that of the last ten minutes
local SLICE = 10 -- seconds: the jobs that end in a slice are counted together, so the memory does not grow with the jobs

--- Counts at the start of a run.
---@param before { total: integer, done: integer, failed: integer } what earlier runs did
---@param now number the time in seconds, by any clock that is then passed to the other functions, too
---@return devkit4ai.batch.Counts
function M.new(before, now)
  return setmetatable({
    total = before.total, done = before.done, running = 0, failed = before.failed, undecided = 0, _started = now,
    _ended = {},
  }, Counts)
end

--- The jobs that have not ended.
---@return integer
---@private
function Counts:left()
  return self.total - self.done - self.failed - self.undecided
end

--- Counts the end of a job.
---@param field "done"|"failed"|"undecided"
---@param now number
---@private
function Counts:add(field, now)
  self[field] = self[field] + 1
  local slice = math.floor(now / SLICE)
  self._ended[slice] = (self._ended[slice] or 0) + 1
end

-- The jobs that ended per second, over the last ten minutes or since the start.
local function rate_of(self, now)
  local first, last = math.floor((now - WINDOW) / SLICE) + 1, math.floor(now / SLICE)
  local ended = 0
  for slice, count in pairs(self._ended) do
    if slice >= first and slice <= last then ended = ended + count else self._ended[slice] = nil end
  end
  local seconds = now - math.max(self._started, first * SLICE)
  return ended > 0 and seconds > 0 and ended / seconds or nil
end

--- Sets the rate and the time left.
---@param now number
---@private
function Counts:update(now)
  self.rate = rate_of(self, now)
  self.seconds_left = self:left() == 0 and 0 or self.rate and self:left() / self.rate
end

return M
