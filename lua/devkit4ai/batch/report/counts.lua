--- Counts of a batch: how many jobs are done, running, failed and undecided, how fast they end, and the time left. Pure: the
--- clock is an argument.

---@class devkit4ai.batch.Counts
---@field total integer jobs
---@field done integer jobs whose image is in its file
---@field running integer jobs that were sent or accepted in this run and have not ended
---@field failed integer jobs that ended without an image
---@field undecided integer jobs that may be paid for, and whose generation was not found
---@field paid integer payments, those of earlier runs included
local Counts = {}
Counts.__index = Counts

local M = {}

local WINDOW = 600 -- seconds: the rate is that of the last ten minutes
local SLICE = 10 -- seconds: the jobs that end in a slice are counted together, so the memory does not grow with the jobs

-- By the type of an event: the field that counts its job from then on. false: none, the job waits.
local FIELDS = {
  planned = false, sending = "running", accepted = "running", completed = "running", saved = "done", failed = "failed",
  refused = false, undecided = "undecided",
}

local ENDED = { done = true, failed = true, undecided = true }

--- Counts of a batch whose jobs all wait.
---@param total integer
---@param now number the time in seconds, by any clock that is then passed to the other functions, too
---@return devkit4ai.batch.Counts
function M.new(total, now)
  return setmetatable({
    total = total, done = 0, running = 0, failed = 0, undecided = 0, paid = 0,
    _started = now, _fields = {}, _ended = {}, -- by job: its field; by slice: the jobs that ended in it
  }, Counts)
end

-- Counts a job in another field.
local function move(self, job, field)
  local before = self._fields[job]
  if before then self[before] = self[before] - 1 end
  if field then self[field] = self[field] + 1 end
  self._fields[job] = field or nil
end

--- Sets where a job is after earlier runs.
---@param job string its name
---@param step string? the last step in the journal: saved, failed, undecided; any other: the job waits
---@param payments integer? how often it was paid for
function Counts:restore(job, step, payments)
  local field = FIELDS[step]
  move(self, job, ENDED[field] and field)
  self.paid = self.paid + (payments or 0)
end

--- Counts an event of the run. A type that is not a step of a job, such as `paused`, changes nothing.
---@param event { type: string, job: string? }
---@param now number
function Counts:note(event, now)
  local field = FIELDS[event.type]
  if field == nil then return end
  move(self, event.job, field)
  if event.type == "accepted" then self.paid = self.paid + 1 end
  if not ENDED[field] then return end
  local slice = math.floor(now / SLICE)
  self._ended[slice] = (self._ended[slice] or 0) + 1
end

--- The jobs that ended per second, over the last ten minutes or since the start.
---@param now number
---@return number? rate nil: none ended yet
function Counts:rate(now)
  local first, last = math.floor((now - WINDOW) / SLICE) + 1, math.floor(now / SLICE)
  local ended = 0
  for slice, count in pairs(self._ended) do
    if slice >= first and slice <= last then ended = ended + count else self._ended[slice] = nil end
  end
  local seconds = now - math.max(self._started, first * SLICE)
  return ended > 0 and seconds > 0 and ended / seconds or nil
end

--- The seconds until all jobs have ended, at the current rate.
---@param now number
---@return number? seconds nil: no job ended yet, so the rate is unknown
function Counts:time_left(now)
  local left = self.total - self.done - self.failed - self.undecided
  if left == 0 then return 0 end
  local rate = self:rate(now)
  return rate and left / rate
end

return M
