--- How many jobs run at once. No limit of an account is built in: the pace begins small, grows while the server accepts, and
--- learns from each 429. A refused request costs an upload, so after a refusal one job at a time tries. All runs of an account on this
--- machine keep to one limit together (machine_share.lua).
local machine_share = require "devkit4ai.batch.run.machine_share"
local waits = require "devkit4ai.loop.waits"

local M = {}

local FIRST = 2 -- jobs at once
local MOST = 100 -- jobs at once, where the user gives no limit
local PATIENCE = 120 -- seconds: a longer wait that the server names is a quota
local MOST_REFUSALS = 5 -- in a row, with nothing in flight
local MOST_FAILURES = 8 -- in a row, of the network or the server
local MOST_PAUSE = 60 -- seconds, after failures
local LIMIT_LIFE = 300 -- seconds for which a limit that was found counts; then one job more tries
local TURN = 1 -- seconds between two looks at what other runs do
local BUSY = 0.05 -- the same, while another run writes the file

---@class devkit4ai.batch.Pace how many jobs run at once; queue/shared_pace.lua has the same functions for many machines
---@field begin fun(self: devkit4ai.batch.Pace, job: devkit4ai.batch.Job, was_sent: boolean?): boolean?, string?, any waits for a place for a job. was_sent: its request was sent before, so it needs none of the account's limit. nil, reason: "stopped", "cancelled" (the caller's task), or "quota": another run found it, with the seconds until it ends
---@field accepted fun(self: devkit4ai.batch.Pace, job: devkit4ai.batch.Job) the server accepted its request, or its generation was found
---@field lost fun(self: devkit4ai.batch.Pace, job: devkit4ai.batch.Job, err: devkit4ai.Error) the fate of its request is unknown; it keeps its place
---@field refused fun(self: devkit4ai.batch.Pace, job: devkit4ai.batch.Job, err: devkit4ai.Error): string, number? nothing was created; the place is free. "wait": begin again; "stop": nothing can be sent for this many seconds (nil: it is not known)
---@field finish fun(self: devkit4ai.batch.Pace, job: devkit4ai.batch.Job) the place is free; a second call changes nothing
---@field stop fun(self: devkit4ai.batch.Pace) each begin that waits, or comes later, gives nil

---@class devkit4ai.batch.LocalPace: devkit4ai.batch.Pace
---@field private _running table<devkit4ai.batch.Job, string> "sending", "in_flight": jobs that have a place
---@field private _count integer of these
---@field private _sending integer of these
---@field private _limit integer jobs at once that the account may have in all runs, as far as it is known
---@field private _most integer jobs at once that this run may have
---@field private _waits_for_quota boolean
---@field private _limit_until number of waits.now(): the server refused one more than `_limit`
---@field private _blocked_until number of waits.now(): nothing is sent before
---@field private _is_probing boolean one job at a time is sent, until the server accepts one
---@field private _refusals integer in a row
---@field private _failures integer in a row
---@field private _is_stopped boolean?
---@field private _slots devkit4ai.loop.Slot[] where callers of begin wait
---@field private _client devkit4ai.Client
---@field private _on_event fun(event: table) told of a pause, and that the run is alone
---@field private _reason string? why nothing is sent before `_blocked_until`
---@field private _told_until number? the `_blocked_until` that was told
---@field private _share devkit4ai.batch.MachineShare? false: the run goes on alone; nil: it has not begun
---@field private _next_turn number of waits.now(): the next look at the share
---@field private _places integer? that this run may have; nil: no other run is alive, and it may have all
---@field private _others_running integer jobs of the other runs, as they said last
---@field private _changes integer? of the record, when this run last read or changed it
---@field private _learned string? what the record does not have yet: "refusal" or "growth"
---@field private _may_probe boolean? the other runs leave the probe to this one
local Pace = {}
Pace.__index = Pace

---@param client devkit4ai.Client
---@param options { most: integer?, waits_for_quota: boolean?, on_event: fun(event: table) }
---@return devkit4ai.batch.LocalPace
function M.new(client, options)
  local most = options.most or MOST
  return setmetatable({
    _running = {}, _count = 0, _sending = 0, _limit = FIRST, _most = most,
    _waits_for_quota = options.waits_for_quota or false, _limit_until = 0, _blocked_until = 0, _is_probing = false,
    _refusals = 0, _failures = 0, _slots = {}, _client = client, _on_event = options.on_event, _next_turn = 0,
    _others_running = 0,
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

-- ---- the other runs of the account on this machine ----

-- Seconds from now until a Unix time; at most as many as there were when it was noted.
local function left_until(time, most)
  return math.max(0, math.min(time - os.time(), most))
end

-- Takes what another run learned.
local function import(pace, record)
  local now = waits.now()
  pace._limit = record.limit
  pace._limit_until = record.limit_until > 0 and now + left_until(record.limit_until, LIMIT_LIFE) or 0
  local blocked_for = left_until(record.blocked_until, record.blocked_for)
  if now + blocked_for > pace._blocked_until then
    pace._blocked_until, pace._reason = now + blocked_for, "the server refused another run of this account"
  end
  pace._is_probing = record.is_probing
end

-- Writes what this run learned.
local function export(pace, record)
  local now, time = waits.now(), os.time()
  record.changes = record.changes + 1
  record.limit, record.is_probing = pace._limit, pace._is_probing
  record.limit_until = pace._limit_until > 0 and math.ceil(time + pace._limit_until - now) or 0
  record.blocked_for = math.max(0, math.ceil(pace._blocked_until - now))
  record.blocked_until = time + record.blocked_for
end

-- The places that this run may have: what the others leave of the limit; a fair part if one of them waits for its own.
local function places_of(pace, others, wants)
  if not wants then return pace._count end
  local taken, runs, is_short = 0, 1, false
  for _, entry in pairs(others) do taken, runs = taken + entry.places, runs + 1 end
  local fair = math.max(1, math.floor(pace._limit / runs))
  for _, entry in pairs(others) do is_short = is_short or entry.wants and entry.places < fair end
  local free = pace._limit - taken
  return math.max(pace._count, math.min(free, is_short and fair or free, pace._most))
end

-- Whether this run is the one that sends, while one job at a time is sent.
local function may_probe(pace, others, can_send)
  for _, entry in pairs(others) do
    if entry.probes then return false end
  end
  return pace._is_probing and (can_send or pace._sending > 0)
end

local function merge(pace, record, others, wants)
  local is_new = record.changes ~= pace._changes and record.changes > 0
  if is_new and pace._learned ~= "refusal" then import(pace, record)
  elseif pace._learned or record.changes == 0 then export(pace, record) end
  pace._learned, pace._changes = nil, record.changes
  pace._others_running = 0
  for _, entry in pairs(others) do pace._others_running = pace._others_running + entry.running end
  local places = places_of(pace, others, wants)
  pace._places = next(others) and places or nil
  pace._may_probe = may_probe(pace, others, wants and pace._count < places)
  local running = pace._is_probing and pace._count or places -- it may begin so many before its next turn
  return { places = places, running = running, wants = wants and places < pace._most, probes = pace._may_probe }
end

-- Goes on without the other runs, and tells it once.
local function go_alone(pace, why)
  if pace._share then pace._share:close() end
  pace._share, pace._places, pace._others_running, pace._may_probe = false, nil, 0, true
  pace._on_event {
    type = "warning", reason = "this batch does not share the account's limits with other ones: " .. why,
  }
end

-- Looks at what other runs do, and tells them what this one does: once in a while, and at once after a refusal.
local function take_turn(pace, wants)
  local now = waits.now()
  if pace._share == false or now < pace._next_turn and pace._learned ~= "refusal" then return end
  pace._next_turn = now + TURN
  local why
  if not pace._share then
    pace._share, why = machine_share.join(pace._client)
    if not pace._share then return go_alone(pace, why) end
  end
  local done
  done, why = pace._share:exchange(function(record, others) return merge(pace, record, others, wants) end)
  if done == false then pace._next_turn = now + BUSY elseif not done then go_alone(pace, why) end
end

-- ---- a place for a job ----

-- One job more tries when a limit that was found is old.
local function forget_limit(pace)
  if pace._limit_until == 0 or waits.now() < pace._limit_until then return end
  pace._limit, pace._limit_until, pace._learned = pace._limit + 1, 0, pace._learned or "growth"
end

-- Seconds until a job may begin; 0: now; math.huge: when another one ends.
local function wait_of(pace, was_sent)
  if pace._count >= pace._most then return math.huge end
  if was_sent then return 0 end
  local blocked_for = math.max(0, pace._blocked_until - waits.now())
  if pace._count >= (pace._places or pace._limit) then
    return pace._limit_until > 0 and math.max(0.001, pace._limit_until - waits.now()) or math.huge
  end
  if pace._is_probing and (pace._sending > 0 or pace._places and not pace._may_probe) then return math.huge end
  return blocked_for
end

-- Tells once that nothing is sent for some time.
local function tell_pause(pace)
  local seconds = pace._blocked_until - waits.now()
  if seconds <= 0 or pace._told_until == pace._blocked_until then return end
  pace._told_until = pace._blocked_until
  pace._on_event { type = "paused", reason = pace._reason, seconds = seconds }
end

function Pace:begin(job, was_sent)
  while not self._is_stopped do
    forget_limit(self)
    take_turn(self, true)
    local seconds = wait_of(self, was_sent)
    if seconds == 0 then
      set(self, job, was_sent and "in_flight" or "sending")
      return true
    end
    local blocked_for = self._blocked_until - waits.now()
    if blocked_for > PATIENCE and not self._waits_for_quota then return nil, "quota", blocked_for end
    tell_pause(self)
    local slot = {}
    self._slots[#self._slots + 1] = slot
    if self._share then seconds = math.min(seconds, TURN) end
    if not waits.wait_for(slot, seconds < math.huge and seconds or nil) then return nil, "cancelled" end
  end
  return nil, "stopped"
end

function Pace:accepted(job)
  if self._is_probing then self._learned = self._learned or "growth" end
  self._is_probing, self._refusals, self._failures = false, 0, 0
  local running = self._count + self._others_running
  local is_full = running >= self._limit
  set(self, job, "in_flight")
  if not is_full then return end
  if waits.now() < self._limit_until and running <= self._limit then return end -- the server refuses one more
  self._limit, self._limit_until = math.max(self._limit, running) + 1, 0
  self._learned = self._learned or "growth"
end

-- Pauses after a failure of the network or the server, longer after each one.
local function note_failure(pace, err)
  pace._failures = pace._failures + 1
  pace._is_probing = true
  pace._blocked_until, pace._reason = waits.now() + math.min(MOST_PAUSE, 2 ^ (pace._failures - 1)), err.message
  pace._learned = "refusal"
end

function Pace:lost(job, err)
  note_failure(self, err)
  set(self, job, "in_flight")
end

-- A 429 while other jobs are in flight is about their number; it ends when one of them does. If these are all of other runs, the
-- next try waits until those have told whether they still have them.
local function note_limit(pace, err)
  if pace._count == 0 then pace._blocked_until, pace._reason = waits.now() + TURN, err.message end
  pace._is_probing = true
  pace._limit = math.max(1, pace._count + pace._others_running)
  pace._limit_until, pace._learned = waits.now() + LIMIT_LIFE, "refusal"
  return "wait"
end

-- A 429 with nothing in flight is about a quota.
local function note_quota(pace, err)
  local seconds = err.retry_after or PATIENCE
  pace._refusals, pace._is_probing = pace._refusals + 1, true
  pace._blocked_until, pace._reason, pace._learned = waits.now() + seconds, err.message, "refusal"
  if pace._waits_for_quota or seconds <= PATIENCE and pace._refusals < MOST_REFUSALS then return "wait" end
  return "stop", seconds
end

function Pace:refused(job, err)
  set(self, job, nil)
  if err.kind == "rate_limited" then
    self._next_turn = 0 -- what the other runs have in flight now decides
    take_turn(self, true)
    if self._count + self._others_running > 0 then return note_limit(self, err) end
    return note_quota(self, err)
  end
  note_failure(self, err)
  return self._failures < MOST_FAILURES and "wait" or "stop"
end

function Pace:finish(job)
  if not self._running[job] then return end
  set(self, job, nil)
  if self._is_stopped or #self._slots == 0 then take_turn(self, false) end -- else a caller of begin does it
end

function Pace:stop()
  self._is_stopped = true
  wake(self)
end

--- The run has ended: other runs get its places.
function Pace:close()
  if self._share then self._share:close() end
  self._share = false
end

return M
