--- What a journal says: the state of each job after its records. Pure.
local M = {}

---@class devkit4ai.batch.State what is known of a job
---@field step string? "planned", "sending", "refused", "accepted", "completed", "saved", "failed", "undecided"; nil: not in the journal
---@field attempt integer? how often the user decided to send it; nil: once
---@field digest string? of the job when it was planned
---@field since integer? Unix time of the server before it was sent
---@field id string? of its generation
---@field bytes integer?
---@field paid boolean? of a failed job
---@field reason string?

---@class devkit4ai.batch.States
---@field batch string? id of the batch; nil: there is no first line yet
---@field jobs table<string, devkit4ai.batch.State> by name
---@field owners table<string, string> id of a generation -> name of its job
---@field payments integer generations that were accepted
---@field holder devkit4ai.batch.Record? the last line of a run
local States = {}
States.__index = States

--- The steps of a job, and whether a job is open then: it was sent, and has not ended.
M.IS_OPEN = {
  planned = false, refused = false, sending = true, undecided = true, accepted = true, completed = true, saved = false,
  failed = false,
}

---@return devkit4ai.batch.States
function M.new()
  return setmetatable({ jobs = {}, owners = {}, payments = 0 }, States)
end

local NEW = {} -- the state of a job that is not in the journal

--- The state of a job.
---@param name string
---@return devkit4ai.batch.State
function States:of(name)
  return self.jobs[name] or NEW
end

-- A new attempt begins without what an earlier one found out.
local function plan(state, record)
  state.digest, state.attempt = record.digest, record.attempt
  state.since, state.id, state.paid, state.reason = nil, nil, nil, nil
end

--- Adds a record.
---@param record devkit4ai.batch.Record
---@return boolean? done nil: no program of this version writes such a record
function States:add(record)
  if record.run then
    self.holder = record
    return true
  end
  local name, step = record.job, record.step
  if type(name) ~= "string" or M.IS_OPEN[step] == nil then return nil end
  local state = self.jobs[name] or {}
  self.jobs[name], state.step = state, step
  if step == "planned" then plan(state, record) end
  if step == "sending" then state.since = record.since end
  if record.id then
    if not self.owners[record.id] then self.payments = self.payments + 1 end
    state.id, self.owners[record.id] = record.id, name
  end
  if record.paid ~= nil then state.paid = record.paid end
  state.bytes, state.reason = record.bytes, record.reason
  return true
end

return M
