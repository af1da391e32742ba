--- What a journal says: the state of each job after its records. Pure.
local M = {}

---@class devkit4ai.batch.State what is known of a job
---@field step string? "planned", "sending", "refused", "accepted", "completed", "saved", "failed", "undecided"; nil: not in the journal
---@field attempt integer? how often the user decided to send it; nil: once
---@field digest string? of the job when it was planned
---@field since integer? Unix time of the server before it was sent
---@field id string? of its generation
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

-- The fields of a record that a state has.
local FIELDS = { "digest", "attempt", "since", "id", "paid", "reason" }

-- A new attempt begins without what an earlier one found out.
local function plan(state)
  state.attempt, state.since, state.id, state.paid = nil, nil, nil, nil
end

-- Notes whose generation it is. Each generation is one payment.
local function own(states, id, name)
  if not states.owners[id] then states.payments = states.payments + 1 end
  states.owners[id] = name
end

--- Adds the step of a job with at most one other field.
---@param name string of the job
---@param step string
---@param field string?
---@param value string|number|nil
function States:add_step(name, step, field, value)
  local state = self.jobs[name]
  if not state then
    state = {}
    self.jobs[name] = state
  end
  state.step, state.reason = step, nil
  if step == "planned" then plan(state) elseif step == "sending" then state.since = nil end
  if field then state[field] = value end
  if field == "id" then own(self, value, name) end
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
  self:add_step(name, step)
  local state = self.jobs[name]
  for _, field in ipairs(FIELDS) do
    if record[field] ~= nil then state[field] = record[field] end
  end
  if record.id then own(self, record.id, name) end
  return true
end

return M
