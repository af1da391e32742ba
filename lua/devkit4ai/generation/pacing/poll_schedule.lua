--- Poll schedule: the pause before the next status request, as the guide has it (wire.md 5.3). A deadline ends it, not a count.
local limits = require "devkit4ai.api.limits"

local M = {}

--- The pause after the nth status request: 5, 7.5, 11.25, ... and at most 30 s.
---@param n integer from 1
---@param first number? seconds, in place of 5
---@return number seconds
function M.pause(n, first)
  return math.min(limits.MAX_POLL, (first or limits.FIRST_POLL) * limits.POLL_GROWTH ^ (n - 1))
end

-- Failures of a status request that say nothing about the generation.
local TRANSIENT = { network = true, timeout = true, server = true, rate_limited = true }

--- The pause after a failed status request.
---@param err devkit4ai.Error
---@param pause number seconds, as after a success
---@return number? seconds nil: the failure is final
function M.after_failure(err, pause)
  local status = err.status or 0
  local unreadable = err.kind == "protocol" and status >= 200 and status <= 299
  local too_early = err.kind == "not_found" and err.retryable -- created a moment ago
  if not (TRANSIENT[err.kind] or unreadable or too_early) then return nil end
  return math.max(pause, err.retry_after or 0)
end

return M
