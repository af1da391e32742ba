--- The marker of a job: a field of its instructions, by which its generation is found with certainty.
local core = require "devkit4ai.core"
local instructions_of = require "devkit4ai.generation.input.instructions"

local M = {}

--- The name of the field.
M.FIELD = "job"

local MOST = 60 -- characters of a name in a marker: the instructions have 1,000 for all

-- A long name, or one that is not ASCII, is replaced by its digest.
local function short(name)
  if #name <= MOST and not name:find "[^ -~]" then return name end
  return core.digest(name):sub(1, 24)
end

--- The instructions of a job with its marker.
---@param job devkit4ai.batch.Job
---@param batch string id of the batch
---@param attempt integer? 2 or more: the user decided to send the job again
---@return table instructions
function M.add(job, batch, attempt)
  local instructions = instructions_of.normalize(job.instructions)
  local number = attempt and attempt .. "/" or "" -- a name has no slash, so no two attempts of two jobs have one marker
  instructions[M.FIELD] = batch .. "/" .. number .. short(job.name)
  return instructions
end

--- Why the instructions can't have the marker.
---@param job devkit4ai.batch.Job
---@param batch string id of the batch
---@param attempt integer?
---@return string? problem
function M.problem(job, batch, attempt)
  local instructions, why = instructions_of.normalize(job.instructions)
  if not instructions then return why end
  if instructions[M.FIELD] ~= nil then
    return ("the instructions have a field %q, which the batch uses as its marker; rename it, or leave the marker out, "
      .. "with marker = false or --no-marker"):format(M.FIELD)
  end
  local text, problem = instructions_of.encode(M.add(job, batch, attempt))
  if text then return nil end
  return problem .. "; the marker of the batch is a part of them (marker = false or --no-marker leaves it out)"
end

return M
