--- The pace that the waits of one account share, so that they look one after another, slower when the server says so. Pure:
--- the clock is an argument. No quota is built in (wire.md D48): the server's signals are what counts.
local M = {}

local LEAST, MOST = 1 / 50, 10 -- seconds between two looks of one account: as it begins, and at the most
local SLOWER, FASTER = 2, 4 / 5 -- what a 429 and an answer make of the gap
local JUMP = 1 / 4 -- seconds; the least gap after a 429

---@class devkit4ai.Pace
---@field gap number seconds between two looks
---@field free number when the next look may be
---@field shut number no look before: the server said so

---@return devkit4ai.Pace
function M.new()
  return { gap = LEAST, free = 0, shut = 0 }
end

--- Takes the next place in the line.
---@param pace devkit4ai.Pace
---@param now number seconds
---@return number at when to look
function M.reserve(pace, now)
  local at = math.max(now, pace.free, pace.shut)
  pace.free = at + pace.gap
  return at
end

--- What an answer to a look says of the pace: a 429, or how much of a limit is left.
---@param pace devkit4ai.Pace
---@param now number seconds
---@param signal { limited: number?, limit: number?, remaining: number?, reset: number? } limited: seconds that a 429 named; limit, remaining: requests of the window; reset: seconds until it begins anew
function M.heed(pace, now, signal)
  local limit, remaining, reset = signal.limit, signal.remaining, signal.reset
  if signal.limited then
    pace.gap = math.min(MOST, math.max(JUMP, pace.gap * SLOWER))
    pace.shut = math.max(pace.shut, now + signal.limited)
    pace.free = math.max(pace.free, pace.shut)
  elseif limit and remaining and reset and reset > 0 and remaining < limit / 10 then
    pace.gap = math.min(MOST, math.max(pace.gap, reset / math.max(1, remaining)))
  else
    pace.gap = math.max(LEAST, pace.gap * FASTER)
  end
end

return M
