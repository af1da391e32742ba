--- What a run does before its first job.
local errors = require "devkit4ai.util.errors"
local look = require "devkit4ai.batch.run.look"
local open_jobs = require "devkit4ai.batch.run.open_jobs"
local senders = require "devkit4ai.batch.sender"

local M = {}

local OTHER_ACCOUNT = "the client has another account than when the jobs were checked, or than the jobs that were "
  .. "sent. Nothing was sent"

local function is_undecided(state)
  return state.step == "undecided"
end

local function is_unknown(state)
  return state.step == "sending" or state.step == "undecided"
end

-- Without markers, a generation may belong to any of the jobs with its instructions whose fate is unknown, also to one that an
-- earlier run sent.
local function note_unknown(checked, context)
  if context.marker then return true end
  local problems = {}
  for job in open_jobs.each(checked, is_unknown, checked.comparison.behind.sent, problems) do
    context.unknown[job.name] = job
  end
  if problems[1] then return errors.refuse("conflict", problems[1], nil, "batch:run") end
  return true
end

-- Undecided jobs that the user decided to send again are looked for once more.
local function look_again(checked, context)
  local wanted, planned = checked.comparison.undecided_again, checked.comparison.planned
  if not next(wanted) then return true end
  local problems = {}
  for job in open_jobs.each(checked, is_undecided, checked.comparison.behind.sent, problems) do
    local state = checked.ledger:state_of(job)
    local found = wanted[job.name] and look.run(context, job, state) or {}
    if found.err then return nil, found.err.message, found.err end
    if found.id then
      local done, message, err = checked.ledger:record(job, "accepted", { id = found.id })
      if not done then return nil, message, err end
      context.unknown[job.name] = nil
      context.emit { type = "accepted", job = job.name, number = job.number, id = found.id }
    elseif wanted[job.name] then
      planned[#planned + 1] = { name = job.name, digest = job.digest, attempt = (state.attempt or 1) + 1 }
    end
  end
  if problems[1] then return errors.refuse("conflict", problems[1], nil, "batch:run") end
  return true
end

-- The program may have logged in since the jobs were checked.
local function has_other_account(checked)
  local ledger, account = checked.ledger, senders.of(checked.client).account
  local has_changed = senders.change({ account = checked.sender.account }, { account = account })
    or ledger:unfinished_names({})[1] and senders.change({ account = ledger:sender().account }, { account = account })
  checked.sender.account = account or checked.sender.account
  return has_changed
end

--- Does what comes before the first job: asks for the server's time, looks for undecided jobs that are to be sent again, and
--- writes the planned jobs into the journal.
---@param checked devkit4ai.batch.CheckedBatch
---@param context devkit4ai.batch.Context
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.run(checked, context)
  if has_other_account(checked) then return errors.refuse("conflict", OTHER_ACCOUNT, nil, "batch:run") end
  look.learn_time(checked.client)
  local done, message, err = note_unknown(checked, context)
  if not done then return nil, message, err end
  done, message, err = look_again(checked, context)
  if not done then return nil, message, err end
  done, message, err = checked.ledger:begin(checked.comparison.planned, checked.sender)
  if not done then return nil, message, err end
  for _, planned in ipairs(checked.comparison.planned) do context.emit { type = "planned", job = planned.name } end
  checked.comparison.planned = {}
  return true
end

return M
