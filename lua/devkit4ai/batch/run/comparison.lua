--- What another run left: compares each job with the journal and the files in the folder, before anything is sent.
local save = require "devkit4ai.batch.run.save"
local steps = require "devkit4ai.batch.run.steps"

local M = {}

local MOST_NAMED = 20
local MOST_KEPT = 100 -- open jobs: a run begins with them, without reading all jobs again

-- The problems, in the order in which they are told.
local PROBLEMS = {
  { "changed", "these jobs were sent in an earlier run, and have changed since: %s; put them back as they were, or "
    .. "give the changed ones other names" },
  { "missing", "these jobs were sent in an earlier run, and are not among the jobs now: %s; put them back, so that "
    .. "their images are saved" },
  { "existing", "these files exist already, and are no results of this batch: %s; they are never overwritten: move "
    .. "them away, or give the jobs other names" },
  { "not_again", "again: only undecided and failed jobs can be sent again, and these are not: %s" },
}

---@class devkit4ai.batch.Comparison
---@field planned devkit4ai.batch.PlannedJob[] jobs that are new, changed before they were sent, or are sent again
---@field undecided_again table<string, true> names of undecided jobs that the user decided to send again
---@field counts { total: integer, done: integer, failed: integer, undecided: integer, to_send: integer }
---@field kept devkit4ai.batch.Job[] the first jobs that have not ended, in their order
---@field needs_project boolean? a job that was sent and has not ended names no project
---@field behind { any: boolean?, sent: boolean? } whether there are more behind them, and one that was sent before
---@field private _ledger devkit4ai.batch.Journal
---@field private _out string
---@field private _again table<string, boolean> names that `again` has; false: not seen yet
---@field private _seen table<string, true> names of the jobs that were sent and have not ended
---@field private _lists table<string, string[]> names by problem
local Comparison = {}
Comparison.__index = Comparison

---@class devkit4ai.batch.PlannedJob
---@field name string
---@field digest string
---@field attempt integer?

---@param ledger devkit4ai.batch.Journal
---@param options { out: string, again: string[]? }
---@return devkit4ai.batch.Comparison
function M.new(ledger, options)
  local again, lists = {}, {}
  for _, name in ipairs(options.again or {}) do again[name] = false end
  for _, problem in ipairs(PROBLEMS) do lists[problem[1]] = {} end
  return setmetatable({
    planned = {}, undecided_again = {}, kept = {}, behind = {},
    counts = { total = 0, done = 0, failed = 0, undecided = 0, to_send = 0 },
    _ledger = ledger, _out = options.out, _again = again, _seen = {}, _lists = lists,
  }, Comparison)
end

local function add(list, item)
  list[#list + 1] = item
end

-- Whether a job was certainly not paid for, so that a changed row counts from now on.
local function is_unpaid(state)
  return state.step == nil or steps.sends(state) or state.step == "failed" and not state.paid
end

local function plan(comparison, job, attempt)
  add(comparison.planned, { name = job.name, digest = job.digest, attempt = attempt })
end

-- A job that the user decided to send again. false: it is in no state for that, or it has changed, so that its first generation
-- could not be found.
local function send_again(comparison, job, state)
  comparison._again[job.name] = true
  if state.step == "failed" then
    plan(comparison, job, (state.attempt or 1) + 1)
  elseif state.step == "undecided" and state.digest ~= job.digest then
    add(comparison._lists.changed, job.name)
    return false
  elseif state.step == "undecided" then
    comparison.undecided_again[job.name] = true
  else
    add(comparison._lists.not_again, job.name)
    return false
  end
  return true
end

local function count(comparison, state, sends)
  local counts = comparison.counts
  counts.total = counts.total + 1
  if sends then counts.to_send = counts.to_send + 1
  elseif state.step == "saved" then counts.done = counts.done + 1
  elseif state.step == "failed" or state.step == "undecided" then counts[state.step] = counts[state.step] + 1 end
end

-- Keeps a job that has not ended.
local function keep(comparison, job, state)
  local kept, behind = comparison.kept, comparison.behind
  if #kept < MOST_KEPT then
    add(kept, job)
  else
    behind.any = true
    behind.sent = behind.sent or not steps.has_ended(state) and not steps.sends(state)
  end
end

--- Compares a job; each job once.
---@param job devkit4ai.batch.Job
---@return boolean sends the job will be sent, and is paid for then
function Comparison:add(job)
  local state = self._ledger:state_of(job)
  local unpaid, has_changed = is_unpaid(state), state.digest ~= job.digest
  local sends = state.step ~= "failed" and unpaid
  if self._again[job.name] ~= nil then
    sends = send_again(self, job, state)
  elseif unpaid and has_changed then
    plan(self, job, state.attempt)
    sends = true
  elseif has_changed then
    add(self._lists.changed, job.name)
  end
  if not steps.has_ended(state) and not unpaid then
    self._seen[job.name] = true
    self.needs_project = self.needs_project or not job.project
  end
  if sends and save.is_taken(self._out, job) then add(self._lists.existing, job.name) end
  count(self, state, sends)
  if sends or not steps.has_ended(state) then keep(self, job, state) end
  return sends
end

local function names_of(list)
  local shown = {}
  for i = 1, math.min(#list, MOST_NAMED) do shown[i] = list[i] end
  local more = #list - #shown
  return table.concat(shown, ", ") .. (more > 0 and (" and %d more"):format(more) or "")
end

--- The problems, when all jobs were compared.
---@return string? message nil: there is none
function Comparison:problem()
  local lists, texts = self._lists, {}
  lists.missing = self._ledger:unfinished_names(self._seen)
  for name, seen in pairs(self._again) do
    if not seen then add(lists.not_again, name) end
  end
  for _, problem in ipairs(PROBLEMS) do
    local list = lists[problem[1]]
    if list[1] then add(texts, problem[2]:format(names_of(list))) end
  end
  return texts[1] and table.concat(texts, "; ") .. "; nothing was sent" or nil
end

return M
