--- Whether a call that failed is made again, and after which pause. Pure: clock and chance are arguments. wire.md 7.
local M = {}

local FIRST, GROWTH, MOST = 1 / 2, 2, 8 -- seconds, factor, seconds: the span out of which a pause is drawn
local LEAST = 1 / 100 -- seconds; with less left a try brings nothing: the time of the last one was just over
local COST, TIMEOUT_COST = 5, 10 -- of a repeat, in the budget; as the AWS SDKs' standard mode has them

M.FULL = 500 -- what a client's budget begins with; a hundred repeats that brought nothing, and there are no more

-- A row's `repeats`: after what it is made again by itself. limited: a 429. tries: in all, where the class has its own.
local CLASSES = {
  safe = { not_sent = true, limited = true, unknown = true }, -- it only reads
  idempotent = { not_sent = true, limited = true, unknown = true }, -- twice is as once
  delete = { not_sent = true, limited = true, unknown = true },
  if_not_sent = { not_sent = true }, -- login: repeats count against a limit and can lock an account
  one_retry = { not_sent = true, limited = true, unknown = true, tries = 2 }, -- refresh
  never = { not_sent = true, limited = true }, -- it may cost money, or make a second one
}

local REASONS = {
  not_sent = "it may not be made again by itself", limited = "it may not be made again by itself",
  refused = "the answer is final", unknown = "a second one might be done as well",
}

--- Whether a second one is harmless whatever became of the first.
---@param class string a row's `repeats`
---@return boolean
function M.is_harmless(class)
  return class == "safe" or class == "idempotent" or class == "delete"
end

--- Whether the failure of a repeat says that an earlier try, of which nobody knew what became, did the work.
---@param row table of `operations`: gone
---@param failure table status
---@return boolean
function M.was_done(row, failure)
  return row.done_statuses ~= nil and row.done_statuses[failure.status] == true
end

--- What a repeat after this failure takes out of the budget.
---@param failure table
---@return integer
function M.cost(failure)
  return failure.kind == "timeout" and TIMEOUT_COST or COST
end

---@class devkit4ai.RetryClock what is left
---@field left number seconds of the caller's time; math.huge: no end
---@field tries integer most tries in all
---@field max_wait number seconds; a longer wait is the caller's own affair
---@field budget number

--- Decides.
---@param row table of `operations`: repeats
---@param failure table kind, outcome, attempts, transient; retry_after: seconds that the server named
---@param clock devkit4ai.RetryClock
---@param chance fun(): number from 0 to 1
---@return number? pause seconds; nil: it is final
---@return string reason
function M.decide(row, failure, clock, chance)
  local class = CLASSES[row.retry_class]
  local what = failure.kind == "rate_limited" and "limited" or failure.outcome
  if not failure.transient then return nil, REASONS.refused end
  if not class[what] then return nil, REASONS[what] end
  if failure.attempts >= math.min(clock.tries, class.tries or clock.tries) then return nil, "all tries are used" end
  if clock.budget < M.cost(failure) then return nil, "too many repeats brought nothing lately" end
  local named = failure.retry_after or 0
  if named > clock.max_wait then return nil, "the server names a longer wait than max_wait" end
  local pause = named + chance() * math.min(MOST, FIRST * GROWTH ^ (failure.attempts - 1)) -- full jitter
  if pause + LEAST >= clock.left then return nil, "the time for the whole call is too short for another try" end
  return pause, "it may go better"
end

return M
