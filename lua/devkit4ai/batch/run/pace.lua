--- How many jobs run at once. No limit of an account is built in: the pace begins small, grows while the server accepts, and
--- learns from each 429. A refused request costs an upload, so after a refusal one job at a time tries.
local waits = require "devkit4ai.loop.waits"

local M = {}

local FIRST = 2 -- jobs at once
local MOST = 100 -- jobs at once, where the user gives no limit
local PATIENCE = 120 -- seconds: a longer wait that the server names is a quota
local MOST_REFUSALS = 5 -- in a row, with nothing in flight
local MOST_FAILURES = 8 -- in a row, of the network or the server
local MOST_PAUSE = 60 -- seconds, after failures
local LIMIT_LIFE = 300 -- seconds for which a limit that was found counts; then one job more tries

---@class devkit4ai.batch.Pace how many jobs run at once; queue/shared_pace.lua has the same functions for many machines
---@field begin fun(self, job: devkit4ai.batch.Job, was_sent: boolean?): boolean?, string? waits for a place for a job. was_sent: its request was sent before, so it needs none of the account's limit. nil, reason: the pace was stopped, or the caller's task was cancelled
---@field accepted fun(self, job: devkit4ai.batch.Job) the server accepted its request, or its generation was found
---@field lost fun(self, job: devkit4ai.batch.Job, err: devkit4ai.Error) the fate of its request is unknown; it keeps its place
---@field refused fun(self, job: devkit4ai.batch.Job, err: devkit4ai.Error): string, number? nothing was created; the place is free. "wait": begin again; "stop": nothing can be sent for this many seconds (nil: it is not known)
---@field finish fun(self, job: devkit4ai.batch.Job) the place is free; a second call changes nothing
---@field stop fun(self) each begin that waits, or comes later, gives nil

---@class devkit4ai.batch.LocalPace: devkit4ai.batch.Pace
---@field private _running table<devkit4ai.batch.Job, string> "sending", "in_flight": jobs that have a place
---@field private _count integer of these
---@field private _sending integer of these
---@field private _limit integer jobs at once
---@field private _most integer
---@field private _waits_for_quota boolean
---@field private _limit_until number of waits.now(): the server refused one more than `_limit`
---@field private _blocked_until number of waits.now(): nothing is sent before
---@field private _is_probing boolean one job at a time is sent, until the server accepts one
---@field private _refusals integer in a row
---@field private _failures integer in a row
---@field private _is_stopped boolean?
---@field private _slots devkit4ai.loop.Slot[] where callers of begin wait
local Pace = {}
Pace.__index = Pace

---@param options { most: integer?, waits_for_quota: boolean? }
---@return devkit4ai.batch.LocalPace
function M.new(options)
  local most = options.most or MOST
  return setmetatable({
    _running = {}, _count = 0, _sending = 0, _limit = math.min(FIRST, most), _most = most,
    _waits_for_quota = options.waits_for_quota or false, _limit_until = 0, _blocked_until = 0, _is_probing = false,
    _refusals = 0, _failures = 0, _slots = {},
  }, Pace)
end

local function wake(pace)
  local slots = pace._slots
  pace._slots = {}
  for _, slot in ipairs(slots) do waits.wake(slot) end
end

local function set(pace, job, state)
  local before = pace._running[job]
  if before == state then return end
  pace._running[job] = state
  pace._count = pace._count + (state and 1 or 0) - (before and 1 or 0)
  pace._sending = pace._sending + (state == "sending" and 1 or 0) - (before == "sending" and 1 or 0)
  wake(pace)
end

-- Seconds until a job may begin; 0: now; math.huge: when another one ends.
local function wait_of(pace, was_sent)
  if pace._count >= pace._most then return math.huge end
  if was_sent then return 0 end
  local now = waits.now()
  if pace._count >= pace._limit then
    if pace._limit_until == 0 or pace._count > pace._limit then return math.huge end
    if now < pace._limit_until then return pace._limit_until - now end
  end
  if pace._is_probing and pace._sending > 0 then return math.huge end
  return math.max(0, pace._blocked_until - now)
end

function Pace:begin(job, was_sent)
  while not self._is_stopped do
    local seconds = wait_of(self, was_sent)
    if seconds == 0 then
      set(self, job, was_sent and "in_flight" or "sending")
      return true
    end
    local slot = {}
    self._slots[#self._slots + 1] = slot
    if not waits.wait_for(slot, seconds < math.huge and seconds or nil) then return nil, "cancelled" end
  end
  return nil, "stopped"
end

function Pace:accepted(job)
  self._is_probing, self._refusals, self._failures = false, 0, 0
  local is_full = self._count >= self._limit
  set(self, job, "in_flight")
  if not is_full then return end
  if waits.now() < self._limit_until and self._count <= self._limit then return end -- the server refuses one more
  self._limit, self._limit_until = math.min(self._most, math.max(self._limit, self._count) + 1), 0
end

-- Pauses after a failure of the network or the server, longer after each one.
local function note_failure(pace)
  pace._failures = pace._failures + 1
  pace._is_probing = true
  pace._blocked_until = waits.now() + math.min(MOST_PAUSE, 2 ^ (pace._failures - 1))
end

function Pace:lost(job)
  note_failure(self)
  set(self, job, "in_flight")
end

-- A 429 while other jobs are in flight is about their number; it ends when one of them does.
local function note_limit(pace)
  pace._is_probing = true
  pace._limit = math.max(1, pace._count)
  pace._limit_until = waits.now() + LIMIT_LIFE
  return "wait"
end

-- A 429 with nothing in flight is about a quota.
local function note_quota(pace, err)
  local seconds = err.retry_after or PATIENCE
  pace._refusals, pace._is_probing = pace._refusals + 1, true
  pace._blocked_until = waits.now() + seconds
  if pace._waits_for_quota or seconds <= PATIENCE and pace._refusals < MOST_REFUSALS then return "wait" end
  return "stop", seconds
end

function Pace:refused(job, err)
  set(self, job, nil)
  if err.kind == "rate_limited" then
    if self._count > 0 then return note_limit(self) end
    return note_quota(self, err)
  end
  note_failure(self)
  return self._failures < MOST_FAILURES and "wait" or "stop"
end

function Pace:finish(job)
  set(self, job, nil)
end

function Pace:stop()
  self._is_stopped = true
  wake(self)
end

return M
