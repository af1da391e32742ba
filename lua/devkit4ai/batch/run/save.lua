--- Saves the image of a job's generation under the job's name.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"

local M = {}

local function size_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local size = file:seek("end")
  file:close()
  return size
end

local function has_bytes(path, bytes)
  local file = io.open(path, "rb")
  local found = file and file:read("*a")
  if file then file:close() end
  return found == bytes
end

-- The name is taken: by this job, if a crash came between the save and its record. Then the file has the bytes of the image.
local function check_existing(path, gen)
  local bytes, message, err = gen:bytes()
  if not bytes then return nil, message, err end
  if has_bytes(path, bytes) then return true end
  return errors.refuse("conflict", ("%s: another file has this name; move it away, and run the batch again: the image "
    .. "is paid for, and will be saved"):format(path), nil, "batch:run")
end

-- The program's own function for a saved file.
local function hand_over(context, job, path)
  local done, why = context.save(job, path)
  if done then return true end
  return errors.refuse("failed", ("the function save failed for %s: %s"):format(path, tostring(why)), nil, "batch:run")
end

--- The path of a job's file.
---@param out string folder of the results
---@param job devkit4ai.batch.Job
---@return string
function M.path_of(out, job)
  return out:gsub("([^/])$", "%1/") .. job.name
end

--- Saves the image. The file survives a power failure when this returns.
---@param context devkit4ai.batch.Context
---@param job devkit4ai.batch.Job
---@param gen devkit4ai.Generation completed
---@return integer? bytes of the file
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: another file has the name; kind `file`: nothing can be written there
function M.run(context, job, gen)
  local path = M.path_of(context.out, job)
  local done, message, err
  if size_of(path) then done, message, err = check_existing(path, gen) else done, message, err = gen:save(path) end
  if not done then return nil, message, err end
  local synced, _, why = core.sync_folder(path:match "^(.*[/\\])" or "")
  if not synced then return errors.refuse("file", why, nil, "batch:run") end
  if context.save then
    done, message, err = hand_over(context, job, path)
    if not done then return nil, message, err end
  end
  return size_of(path) or 0
end

return M
