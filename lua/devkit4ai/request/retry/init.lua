--- Request retry policy: decides whether and when a failed call is sent again. Pure. wire.md 7.
local M = {}

local FIRST, GROWTH, MOST = 1 / 2, 2, 8 -- seconds, factor, seconds: the backoff; the pause is random up to it (full jitter)
local LEAST = 1 / 100 -- seconds; with less time left, a retry would only time out
local COST, TIMEOUT_COST = 5, 10 -- of a retry, in the budget; the values of the AWS SDKs' standard mode

-- By the column `retry_class`: after which outcomes a call is retried. limited: a 429. tries: most attempts of the class.
local CLASSES = {
  safe = { not_sent = true, limited = true, unknown = true }, -- it only reads
  idempotent = { not_sent = true, limited = true, unknown = true }, -- idempotent
  delete = { not_sent = true, limited = true, unknown = true },
  if_not_sent = { not_sent = true }, -- login: retries count against a limit and can lock an account
  one_retry = { not_sent = true, limited = true, unknown = true, tries = 2 }, -- refresh
  never = { not_sent = true, limited = true }, -- it may cost money, or create a second object
}

local REASONS = {
  not_sent = "the operation is not retried", limited = "the operation is not retried",
  refused = "the answer is final", unknown = "the first request may have been done",
}

--- Whether a retry is harmless, whatever the outcome of the first request was.
---@param class string a row's `retry_class`
---@return boolean
function M.is_harmless(class)
  return class == "safe" or class == "idempotent" or class == "delete"
end

--- Whether the failure of a retry shows that an earlier attempt with an unknown outcome was done.
---@param row table of `operations`: done_statuses
---@param failure table status
---@return boolean
function M.was_done(row, failure)
  return row.done_statuses ~= nil and row.done_statuses[failure.status] == true
end

--- The cost of a retry after a failure, in the budget.
---@param failure table
---@return integer
function M.cost(failure)
  return failure.kind == "timeout" and TIMEOUT_COST or COST
end

---@class devkit4ai.RetryLimits
---@field left number seconds of the call's time; math.huge: no limit
---@field tries integer most attempts
---@field max_wait number seconds; the caller handles a longer wait
---@field budget number tokens that are left

--- Decides whether a call is retried.
---@param row table of `operations`: retry_class
---@param failure table kind, outcome, attempts, transient; retry_after: seconds that the server named
---@param limits devkit4ai.RetryLimits
---@param random fun(): number from 0 to 1
---@return number? pause seconds; nil: the failure is final
---@return string reason
function M.decide(row, failure, limits, random)
  local class = CLASSES[row.retry_class]
  local outcome = failure.kind == "rate_limited" and "limited" or failure.outcome
  if not failure.transient then return nil, REASONS.refused end
  if not class[outcome] then return nil, REASONS[outcome] end
  if failure.attempts >= math.min(limits.tries, class.tries or limits.tries) then
    return nil, "all attempts are used"
  end
  if limits.budget < M.cost(failure) then return nil, "the retry budget is used up" end
  local named = failure.retry_after or 0
  if named > limits.max_wait then return nil, "the server names a longer wait than max_wait" end
  local pause = named + random() * math.min(MOST, FIRST * GROWTH ^ (failure.attempts - 1))
  if pause + LEAST >= limits.left then return nil, "the call's time is too short for a retry" end
  return pause, "the failure is transient"
end

return M
