--- The marker of a job: a field of its instructions, by which its generation is found with certainty.
local core = require "devkit4ai.core"
local instructions_of = require "devkit4ai.generation.input.instructions"
local json = require "devkit4ai.util.json"

local M = {}

--- The name of the field.
M.FIELD = "job"

local MOST = 60 -- characters of a name in a marker: the instructions have 1,000 for all

-- A long name, or one that is not ASCII, is replaced by its digest.
local function short(name)
  if #name <= MOST and not name:find "[^ -~]" then return name end
  return core.digest(name):sub(1, 24)
end

-- The JSON text of the instructions with the marker as their last field. All else is sent as it would be without one.
local function with_marker(text, job, batch, attempt)
  local number = attempt and attempt .. "/" or "" -- a name has no slash, so no two attempts of two jobs have one marker
  local field = assert(json.encode { [M.FIELD] = batch .. "/" .. number .. short(job.name) })
  return text:match "^(.*)}" .. "," .. field:sub(2)
end

--- The instructions of a job with its marker.
---@param job devkit4ai.batch.Job whose instructions have no problem
---@param batch string id of the batch
---@param attempt integer? 2 or more: the user decided to send the job again
---@return string instructions their JSON text
function M.add(job, batch, attempt)
  return with_marker(assert(instructions_of.encode(job.instructions)), job, batch, attempt)
end

--- Why the instructions can't be sent with the marker.
---@param job devkit4ai.batch.Job
---@param batch string id of the batch
---@param attempt integer?
---@return string? problem
function M.problem(job, batch, attempt)
  local text, why = instructions_of.encode(job.instructions)
  if not text then return why end
  if json.decode_object(text)[M.FIELD] ~= nil then
    return ("the instructions have a field %q, which the batch uses as its marker; rename it, or leave the marker out, "
      .. "with marker = false or --no-marker"):format(M.FIELD)
  end
  local _, problem = instructions_of.encode(with_marker(text, job, batch, attempt))
  if not problem then return nil end
  return problem .. "; the marker of the batch is a part of them (marker = false or --no-marker leaves it out)"
end

return M
