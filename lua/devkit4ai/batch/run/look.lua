--- Looks for the generation of a job whose fate is unknown: it was marked as sending, and no answer is known.
local errors = require "devkit4ai.util.errors"
local find = require "devkit4ai.generation.find"
local limits = require "devkit4ai.api.limits"
local marker = require "devkit4ai.batch.run.marker"
local server_clock = require "devkit4ai.request.time.server_clock"
local waits = require "devkit4ai.loop.waits"

local M = {}

--- Seconds before each look. A generation may appear some time after its creation.
M.PAUSES = { 0, 5, 10, limits.NOT_FOUND_TIME - 10 }

local NO_TIME = "the time of the request is not known, and without the marker several generations may have these "
  .. "instructions"
local RIVAL = "the fate of the job %s is unknown, too, and it has the same instructions"

-- The instructions that were sent.
local function sent_instructions(context, job, state)
  if not context.marker then return job.instructions end
  return marker.add(job, context.ledger.batch, state.attempt)
end

-- Why a generation with these instructions may be another job's; nil: it can only be this one's.
local function doubt(context, job, state)
  if context.marker or state.id then return nil end
  if not state.since then return NO_TIME end
  local rival = context.rival_of(job)
  return rival and RIVAL:format(rival) or nil
end

--- Whether a generation is certainly not the one that is looked for. Without a marker, one that the journal has is the job's only if
-- the job has it now: that of an earlier attempt has the same instructions.
local function is_other(context, job, state, id)
  if context.marker then return context.ledger:is_of_other(id, job) end
  if state.id then return id ~= state.id end
  return context.ledger:is_of_other(id)
end

-- Looks once.
---@param context devkit4ai.batch.Context
---@param job devkit4ai.batch.Job
---@param state devkit4ai.batch.State
---@return string? id of the generation
---@return devkit4ai.Error? err without a status, kind `not_found`, `conflict`: there is none now, or it is not clear which one
local function look(context, job, state)
  local fields, _, err = find.find_lost(context.scope_of(job), "batch:run", {
    instructions = sent_instructions(context, job, state), since = state.since,
  }, function(id) return is_other(context, job, state, id) end)
  return fields and fields.id, err
end

local function cancelled()
  return select(3, errors.refuse("cancelled", "the batch was stopped while it looked for the generation"))
end

---@class devkit4ai.batch.Look what a search found
---@field id string? of the generation
---@field reason string? why the fate stays unknown
---@field err devkit4ai.Error? the search itself failed: the next run looks again

--- Looks several times, because a generation may appear late.
---@param context devkit4ai.batch.Context
---@param job devkit4ai.batch.Job
---@param state devkit4ai.batch.State
---@return devkit4ai.batch.Look
function M.run(context, job, state)
  local reason
  local last = state.step == "undecided" and 1 or #M.PAUSES -- an earlier run waited
  for i = 1, last do
    if M.PAUSES[i] > 0 and not waits.sleep(M.PAUSES[i], context.client) then return { err = cancelled() } end
    reason = doubt(context, job, state)
    if not reason then
      local id, err = look(context, job, state)
      reason = doubt(context, job, state) -- another job was perhaps sent meanwhile
      if id and not reason then return { id = id } end
      if err and (err.status or err.kind ~= "not_found" and err.kind ~= "conflict") then
        return { err = err } -- the list can't be read; a 404 may be that of a wrong address
      end
      reason = reason or err.message:gsub("^batch:run: ", "")
    end
  end
  return { reason = reason }
end

--- Asks for the time of the server, if no response has told it: a search for a lost answer begins there. (The headers of
--- client:health are not read.)
---@param client devkit4ai.Client
function M.learn_time(client)
  local _, is_known = server_clock.at(client, waits.now())
  if not is_known then client:request { method = "GET", path = "/health" } end
end

return M
