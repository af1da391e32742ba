--- The names of a queue's keys in Redis; docs/batch-queue.md explains them. The scripts build the same names from the prefix.
local senders = require "devkit4ai.batch.sender"

local M = {}

M.VERSION = 1 -- of the keys and their fields
M.DEFAULT_NAME = "batch" -- of a queue
M.STEPS = { "planned", "sending", "refused", "accepted", "completed", "saved", "failed", "undecided" }

--- The prefix of all keys of a queue. In braces, so that a proxy for several servers keeps them together.
---@param name string of the queue
---@return string
function M.prefix(name)
  return ("devkit4ai:{%s}"):format(name)
end

--- The prefix of the keys of an account, which all its queues share.
---@param client devkit4ai.Client that sends the jobs
---@return string? prefix nil: the client has no token that names its account
function M.account_prefix(client)
  local account = senders.limits_key(client)
  return account and ("devkit4ai:account:{%s}"):format(account) or nil
end

return M
