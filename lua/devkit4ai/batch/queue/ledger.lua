--- The ledger of a worker: the steps of its jobs, written to Redis before they are taken. It has the functions of the journal.
local errors = require "devkit4ai.util.errors"
local queues = require "devkit4ai.batch.queue"
local waits = require "devkit4ai.loop.waits"

local M = {}

local PAUSE, LONGEST = 0.2, 5 -- seconds between two tries while Redis does not answer; the pause grows up to the second

---@class devkit4ai.batch.queue.Ledger: devkit4ai.batch.Ledger
---@field batch string id of the batch, for markers
---@field worker string
---@field private _queue devkit4ai.batch.queue.Queue
---@field private _states table<string, table> by name, of the jobs that the worker runs
---@field private _requests table<string, string> name -> token of the last request
---@field private _on_trouble fun(message: string) called once for each outage
local Ledger = {}
Ledger.__index = Ledger

--- Makes the ledger of a worker.
---@param queue devkit4ai.batch.queue.Queue an open one
---@param worker string
---@param on_trouble fun(message: string) told when Redis does not answer
---@return devkit4ai.batch.queue.Ledger
function M.new(queue, worker, on_trouble)
  return setmetatable({
    batch = queue.id, worker = worker, _queue = queue, _states = {}, _requests = {}, _on_trouble = on_trouble,
  }, Ledger)
end

--- Calls a function of the queue until Redis answers: while it is away, full or a replica, a worker waits. Ends early when the
--- worker is told to end.
---@param fn fun(): any, string?, devkit4ai.Error?
---@return any ... what fn gives
function Ledger:persist(fn)
  local pause = PAUSE
  while true do
    local result, message, err = fn()
    if result ~= nil or not err or not err.retryable then return result, message, err end
    if pause == PAUSE then self._on_trouble(message) end
    if not waits.sleep(pause) then return nil, message, err end
    pause = math.min(pause * 2, LONGEST)
  end
end

--- Begins with a job that the worker has claimed.
---@param name string
---@param state table
function Ledger:take(name, state)
  self._states[name] = state
end

--- Ends with a job.
---@param name string
function Ledger:drop(name)
  self._states[name], self._requests[name] = nil, nil
end

local function refused(job, step, found)
  return errors.fail { kind = "conflict", outcome = "not_sent",
    what = ("job %s: the step %q is refused: another worker has the job, whose step is %s"):format(job.name, step,
      found == "" and "not known" or found) }
end

-- The fields that a job has after a step.
local function apply(state, step, fields)
  state.step, state.again = step, nil
  for field, value in pairs(fields) do state[field] = value end
end

--- Writes a step. Redis has it when this returns true; whether it is on its disk then is a setting of Redis (server_check).
---@param job devkit4ai.batch.Job
---@param step string
---@param fields table?
---@return boolean? written nil: the step must not be taken
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: another worker has the job
function Ledger:record(job, step, fields)
  local name, state = job.name, self._states[job.name]
  fields = fields or {}
  if step == "sending" then self._requests[name] = queues.token(16) end
  if not fields.id and state.id and step ~= "sending" then
    local with_id = { id = state.id }
    for field, value in pairs(fields) do with_id[field] = value end
    fields = with_id
  end
  local taken, found, err = self:persist(function()
    return self._queue:record(self.worker, name, step, self._requests[name] or "", fields)
  end)
  if taken == nil then return nil, found, err end
  if not taken then return refused(job, step, found) end
  apply(state, step, fields)
  return true
end

--- What is known of a job.
---@param job devkit4ai.batch.Job
---@return table state
function Ledger:state_of(job)
  return self._states[job.name]
end

--- Whether a generation belongs to another job than this one. While Redis does not answer, nobody knows, so the caller waits.
---@param id string of the generation
---@param job devkit4ai.batch.Job
---@return boolean
function Ledger:is_of_other(id, job)
  local owner = self:persist(function() return self._queue:owner_of(id) end)
  return owner ~= nil and owner ~= job.name
end

return M
