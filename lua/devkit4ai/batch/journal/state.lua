--- What a journal says: the state of each job after its records. Pure.
local core = require "devkit4ai.core"

local M = {}

local SENDER = { "account", "project", "marker" } -- fields of a run's record

---@class devkit4ai.batch.State what is known of a job
---@field step string? "planned", "sending", "refused", "accepted", "completed", "saved", "failed", "undecided"; nil: not in the journal
---@field again boolean|string|nil a queue's: the user decided to send it again, if it is not found
---@field attempt integer? how often the user decided to send it; nil: once
---@field digest string? of the job when it was planned
---@field since integer? Unix time of the server before it was sent
---@field id string? of its generation
---@field paid boolean? of a failed job
---@field reason string?

---@class devkit4ai.batch.States
---@field batch string? id of the batch; nil: there is no first line yet
---@field last_run devkit4ai.batch.Record? the last line of a run
---@field sender devkit4ai.batch.Sender what the last runs that knew it said
---@field private _jobs userdata core.job_states's
local States = {}
States.__index = States

---@return devkit4ai.batch.States
function M.new()
  return setmetatable({ sender = {}, _jobs = core.job_states() }, States)
end

--- The state of a job. Of a job that is saved, only the step and the digest are known.
---@param name string
---@return devkit4ai.batch.State
function States:of(name)
  local step, digest, id, reason, since, attempt, paid = self._jobs:get(name)
  if paid == nil then return { step = step, digest = digest } end
  return {
    step = step, digest = digest, id = id, reason = reason, since = since and math.floor(since),
    attempt = attempt and math.floor(attempt), paid = paid or nil,
  }
end

--- Whether a generation belongs to another job than this one.
---@param id string of the generation
---@param name string of the job
---@return boolean
function States:is_of_other(id, name)
  return self._jobs:is_of_other(id, name)
end

--- How many generations were accepted. Each is one payment.
---@return integer
function States:payments()
  return self._jobs:payments()
end

--- The names of the jobs that were sent and have not ended.
---@return string[]
function States:open_names()
  return self._jobs:open_names()
end

--- Adds a record.
---@param record devkit4ai.batch.Record
---@return boolean done false: no program of this version writes such a record
function States:add(record)
  if record.run then
    self.last_run = record
    for _, field in ipairs(SENDER) do
      if record[field] ~= nil then self.sender[field] = record[field] end
    end
    return true
  end
  if type(record.job) ~= "string" or type(record.step) ~= "string" then return false end
  return self._jobs:add(record.job, record.step, record.digest, record.id, record.reason, record.since, record.attempt,
    record.paid)
end

--- Adds the lines of a text from an offset to another one. Each was checked.
---@param text string
---@param start integer
---@param stop integer
---@return integer at stop; else the offset of a line that is no usual one, which `add` may take
---@return integer count of the lines that were added
function States:add_lines(text, start, stop)
  return self._jobs:add_lines(text, start, stop)
end

return M
