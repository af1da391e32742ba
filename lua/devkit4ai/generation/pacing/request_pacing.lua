--- Request pacing: spreads the status requests of one account over time, slower if the server says so. Pure: the clock is an
--- argument. No quota is built in (wire.md D48): only the server's signals count.
---
--- Requests start together, a few at each of the common moments, so that a process that sleeps wakes up once for all of them.
local M = {}

local MIN_GAP, MAX_GAP = 1 / 50, 10 -- seconds between two requests; MIN_GAP is the first one
local TOGETHER = 4 -- requests that may start at one moment: the engine keeps so many connections that are not in use
local AHEAD = (TOGETHER - 1) * MIN_GAP -- seconds that a request may start before its time
local MOMENT = TOGETHER * MIN_GAP -- seconds between two moments
local LONG = 1 -- seconds of a pause that may end a moment later
local SLOWER, FASTER = 2, 4 / 5 -- factors of the gap after a 429, and after any other response
local GAP_AFTER_429 = 1 / 4 -- seconds at least
local NEARLY_USED = 1 / 10 -- of a limit

---@class devkit4ai.RequestPace
---@field gap number seconds between two requests
---@field next_at number the time of the next request; it may start AHEAD of it
---@field blocked_until number no request before: a 429 said so

---@return devkit4ai.RequestPace
function M.new()
  return { gap = MIN_GAP, next_at = 0, blocked_until = 0 }
end

local function next_moment(at)
  return math.ceil(at / MOMENT) * MOMENT
end

--- When a pause that begins now ends; pauses of other waits end at the same moment.
---@param now number seconds
---@param pause number seconds
---@return number at
function M.end_of_pause(now, pause)
  local at = now + pause
  return pause < LONG and at or next_moment(at)
end

--- Reserves the next start time.
---@param pace devkit4ai.RequestPace
---@param now number seconds
---@return number at
function M.reserve(pace, now)
  local soonest = pace.next_at - AHEAD
  local at = math.max(soonest > now and next_moment(soonest) or now, pace.blocked_until)
  pace.next_at = math.max(at, pace.next_at) + pace.gap
  return at
end

--- Adjusts the pace to a response: a 429, or how much of a rate limit is left.
---@param pace devkit4ai.RequestPace
---@param now number seconds
---@param signal { retry_after: number?, limit: number?, remaining: number?, reset: number? } retry_after: seconds, of a 429; limit, remaining: requests of the window; reset: seconds until the next window
function M.adjust(pace, now, signal)
  local limit, remaining, reset = signal.limit, signal.remaining, signal.reset
  if signal.retry_after then
    pace.gap = math.min(MAX_GAP, math.max(GAP_AFTER_429, pace.gap * SLOWER))
    pace.blocked_until = math.max(pace.blocked_until, now + signal.retry_after)
    pace.next_at = math.max(pace.next_at, pace.blocked_until)
  elseif limit and remaining and reset and reset > 0 and remaining < limit * NEARLY_USED then
    pace.gap = math.min(MAX_GAP, math.max(pace.gap, reset / math.max(1, remaining)))
  else
    pace.gap = math.max(MIN_GAP, pace.gap * FASTER)
  end
end

return M
