--- Saves the image of a job's generation under the job's name.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local file_failures = require "devkit4ai.batch.file_failures"

local M = {}

local function size_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local size = file:seek("end")
  file:close()
  return size
end

-- core.digest_file: of anything but a regular file, it is nil. A pipe would make io.open wait.
local function has_bytes(path, bytes)
  local file = core.digest_file(path) and io.open(path, "rb")
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

local PAID = "the generation %s is paid for, and its image is not saved"

-- Saves the image where no file is. The advice of gen:save, to save this image elsewhere, is wrong here: the batch continues with it.
local function save_new(path, gen)
  local saved, message, err = gen:save(path)
  if saved or err.kind ~= "file" or not err._parts then return saved, message, err end
  return file_failures.refuse(err._parts.what, PAID:format(gen.id))
end

-- The program's own function for a saved file.
local function hand_over(context, job, path)
  local done, why = context.save(job, path)
  if done then return true end
  why = why == nil and "it did not return true" or tostring(why)
  return errors.refuse("failed", ("the function save failed for %s: %s"):format(path, why), nil, "batch:run")
end

--- The path of a job's file.
---@param out string folder of the results
---@param job devkit4ai.batch.Job
---@return string
function M.path_of(out, job)
  return out:gsub("([^/])$", "%1/") .. job.name
end

--- Whether something has the name of a job's file, also a symbolic link that leads to nothing.
---@param out string folder of the results
---@param job devkit4ai.batch.Job
---@return boolean
function M.is_taken(out, job)
  return core.exists(M.path_of(out, job))
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
  if M.is_taken(context.out, job) then done, message, err = check_existing(path, gen)
  else done, message, err = save_new(path, gen) end
  if not done then return nil, message, err end
  local synced, _, why = core.sync_folder(path:match "^(.*[/\\])" or "")
  if not synced then return file_failures.refuse(why, PAID:format(gen.id)) end
  if context.save then
    done, message, err = hand_over(context, job, path)
    if not done then return nil, message, err end
  end
  return size_of(path) or 0
end

return M
