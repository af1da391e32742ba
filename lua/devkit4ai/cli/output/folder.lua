--- Makes folders.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.cli.errors"

local M = {}

--- Makes a folder with its parents; one that is there already stays as it is.
---@param path string
---@param is_private boolean? only its owner can read it
---@return string? path
---@return string? message
---@return table? err
function M.make(path, is_private)
  local made, _, reason = core.make_folder(path, is_private)
  if made then return path end
  return errors.fail("file", "the folder can't be made: " .. reason)
end

return M
