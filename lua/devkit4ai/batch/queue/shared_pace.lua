--- How many jobs all workers of an account run at once, learned from what the server accepts and refuses. It is in Redis, so that
--- a limit that one worker meets holds for all, also for those of other queues, and one worker at a time tries for one more. It has
--- the functions of the pace of one machine.
local scripts = require "devkit4ai.batch.queue.scripts"
local limits = require "devkit4ai.api.limits"
local waits = require "devkit4ai.loop.waits"

local M = {}

local PLACE_TIME = 60 -- seconds that a place stays when its worker is gone
M.GROW_AFTER = 120 -- seconds after a refusal until one more is tried
local PAUSE, LONGEST = 0.1, 1 -- seconds between two questions for a place; the pause grows up to the second
local BLOCKED_PAUSE = 5 -- the same, while a quota is exhausted
local PATIENCE = 120 -- seconds: a longer wait that the server names is a quota
local MOST_PAUSE = 60 -- seconds, after failures of the network or the server

local unpack = table.unpack or unpack -- luacheck: ignore 113

---@class devkit4ai.batch.queue.SharedPace
---@field private _redis devkit4ai.batch.queue.Redis
---@field private _prefix string of the keys of the account
---@field private _worker string
---@field private _ledger devkit4ai.batch.queue.Ledger which waits for Redis
---@field private _waits boolean a quota is waited for
---@field private _places table<string, true> of jobs, by name
---@field private _asking boolean? one task asks for a place, the others wait for their turn
---@field private _failures integer in a row, of the network or the server
---@field private _paused_until number of waits.now(): after a failure, nothing is sent before
---@field private _is_stopped boolean?
---@field private _on_blocked fun(seconds: number)
local SharedPace = {}
SharedPace.__index = SharedPace

--- The pace of a worker.
---@param queue devkit4ai.batch.queue.Queue
---@param prefix string? of the keys of the account; nil: it is not known, and the workers of the queue share the limits
---@param ledger devkit4ai.batch.queue.Ledger
---@param waits_for_quota boolean
---@param on_blocked fun(seconds: number) told when a quota is waited for
---@return devkit4ai.batch.queue.SharedPace
function M.new(queue, prefix, ledger, waits_for_quota, on_blocked)
  return setmetatable({
    _redis = queue.redis, _prefix = prefix or queue.prefix, _ledger = ledger, _worker = ledger.worker,
    _waits = waits_for_quota, _on_blocked = on_blocked,
    _places = {}, _failures = 0, _paused_until = 0,
  }, SharedPace)
end

--- How many jobs of the account the server accepted at once.
---@param queue devkit4ai.batch.queue.Queue
---@param prefix string of the keys of the account
---@return integer? jobs nil: not known
function M.known_limit(queue, prefix)
  local found = queue.redis:command("HMGET", prefix .. ":pace", "limit", "proven") or {}
  return tonumber(found[1]) or tonumber(found[2])
end

local function run(pace, script, ...)
  local arguments = { ... }
  return pace._ledger:persist(function()
    return pace._redis:script(script, pace._prefix, unpack(arguments))
  end)
end

local function place_of(pace, job)
  return pace._worker .. "/" .. job.name
end

-- Sleeps, unless the pace was stopped.
local function sleep(pace, seconds)
  return not pace._is_stopped and waits.sleep(seconds) and not pace._is_stopped
end

-- Asks once. Gives "go", "full", or "blocked" and for how many seconds.
local function ask(pace, job, was_sent)
  local reply, message, err = run(pace, scripts.begin, place_of(pace, job), PLACE_TIME * 1000, was_sent and "1" or "0")
  if not reply then return nil, message, err end
  return reply[1], reply[2] and reply[2] / 1000
end

-- Asks until there is a place.
local function wait_for_place(pace, job, was_sent)
  local pause, told = PAUSE, false
  while true do
    local answer, detail, err = ask(pace, job, was_sent)
    if not answer or answer == "go" then return answer == "go" or nil, detail, err end
    local seconds = pause
    if answer == "blocked" then
      if not pace._waits and detail > PATIENCE then return nil, "quota", detail end
      if not told then pace._on_blocked(detail) end
      told, seconds = true, math.min(detail + PAUSE, BLOCKED_PAUSE)
    end
    if not sleep(pace, seconds) then return nil, "stopped" end
    pause = math.min(pause * 2, LONGEST)
  end
end

--- Waits for a place.
---@param job devkit4ai.batch.Job
---@param was_sent boolean? the job occupies the account already
---@return boolean? begun
---@return string? why not: "quota", "stopped", or a message
---@return any detail seconds until the account may send again, or an error
function SharedPace:begin(job, was_sent)
  local turn = not was_sent
  while turn and (self._asking or waits.now() < self._paused_until) do
    if not sleep(self, PAUSE) then return nil, "stopped" end
  end
  if turn then self._asking = true end
  local begun, why, detail = wait_for_place(self, job, was_sent)
  if turn then self._asking = nil end
  if begun then self._places[job.name] = true end
  return begun, why, detail
end

--- The server accepted the job.
---@param job devkit4ai.batch.Job
function SharedPace:accepted(job)
  self._failures = 0
  run(self, scripts.accepted, place_of(self, job))
end

-- Pauses this worker, longer after each failure.
local function note_failure(pace)
  pace._failures = pace._failures + 1
  pace._paused_until = waits.now() + math.min(MOST_PAUSE, 2 ^ (pace._failures - 1))
end

--- The server, or this machine, created nothing.
---@param job devkit4ai.batch.Job
---@param err devkit4ai.Error
---@return string decision "wait": begin again; "stop": the account may not send before a time
---@return number? seconds until that time
function SharedPace:refused(job, err)
  if err.kind ~= "rate_limited" then
    note_failure(self)
    self:finish(job)
    return "wait"
  end
  local seconds = err.retry_after or limits.RATE_LIMIT_WAIT
  local reply = run(self, scripts.too_many, place_of(self, job), math.ceil(seconds * 1000), M.GROW_AFTER * 1000)
  self._places[job.name] = nil
  if not reply or reply[1] == "wait" or self._waits or seconds <= PATIENCE then return "wait" end
  return "stop", seconds
end

--- The fate of the request is unknown. It keeps its place.
function SharedPace:lost()
  note_failure(self)
end

--- The job's generation has ended.
---@param job devkit4ai.batch.Job
function SharedPace:finish(job)
  if not self._places[job.name] then return end
  self._places[job.name] = nil
  run(self, scripts.leave, place_of(self, job))
end

--- Ends each begin that waits, or comes later.
function SharedPace:stop()
  self._is_stopped = true
end

--- Keeps the places of the worker.
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function SharedPace:keep()
  local list = {}
  for name in pairs(self._places) do list[#list + 1] = self._worker .. "/" .. name end
  if not list[1] then return true end
  return self._redis:script(scripts.keep, self._prefix, PLACE_TIME * 1000, unpack(list))
end

return M
