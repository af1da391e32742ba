--- When to look again whether a generation is done: the guide's schedule (wire.md 5.3), by a deadline instead of a count.
local M = {
  DEADLINE = 900, -- seconds; the guide's sample gives up at 486, before its slowest documented generation is done
}

local FIRST, GROWTH, MOST = 5, 3 / 2, 30 -- seconds, factor, seconds

--- The pause after the nth look: 5, 7.5, 11.25, ... and never above 30 s.
---@param n integer from 1
---@param first number? seconds, in place of 5
---@return number seconds
function M.pause(n, first)
  return math.min(MOST, (first or FIRST) * GROWTH ^ (n - 1))
end

-- what a look can fail of without saying anything about the generation
local LOST = { network = true, timeout = true, server = true, rate_limited = true }

--- Whether to go on after a look that failed, and after which pause.
---@param err devkit4ai.Error
---@param pause number seconds, as after a look that was not lost
---@return number? seconds nil: the failure is final
function M.after_failure(err, pause)
  local status = err.status or 0
  local broken = err.kind == "protocol" and status >= 200 and status <= 299 -- a 2xx that could not be read
  local too_early = err.kind == "not_found" and err.retryable -- it was ordered a moment ago
  if not (LOST[err.kind] or broken or too_early) then return nil end
  return math.max(pause, err.retry_after or 0)
end

return M
