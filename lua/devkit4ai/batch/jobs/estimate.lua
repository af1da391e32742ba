--- Estimate of a batch: how many jobs are to be sent, and how long that takes. Pure.
local M = {}

M.SECONDS_EACH = 120 -- of a generation; wire.md 5.2 documents 30 to 600
M.AT_ONCE = 3 -- of an account whose limit is not known

---@class devkit4ai.batch.Estimate how long a batch takes
---@field to_send integer jobs
---@field at_once integer generations at the same time
---@field seconds number until the last one is saved

--- Estimates a batch.
---@param to_send integer
---@param at_once integer from 1
---@param seconds_each number for one generation with its upload and its download
---@return devkit4ai.batch.Estimate
function M.of(to_send, at_once, seconds_each)
  local used = math.max(1, math.min(at_once, to_send))
  return { to_send = to_send, at_once = used, seconds = math.ceil(to_send / used) * seconds_each }
end

return M
