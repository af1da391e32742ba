--- Failures to write in the folder of the results. The advice of the core, another path, would be wrong there: another folder has
--- no journal, and the batch would pay again.
local errors = require "devkit4ai.util.errors"

local M = {}

local OTHER_PATHS = { ", or give a path on another disk", ": give a path on another one" } -- how its messages end

--- A message of the core without the advice to give another path.
---@param text string
---@return string
function M.text(text)
  for _, advice in ipairs(OTHER_PATHS) do
    if text:sub(-#advice) == advice then return text:sub(1, -#advice - 1) end
  end
  return text
end

local CONTINUE = "then run the batch again with the same folder: its journal has what is paid for"
local IS_DELETED, PUT_BACK = "it was deleted while it was in use", -- src/core/file/record_file.c
  "put the journal back as it was, since it has what is paid for; without it, the next run says what to do"

--- A write that failed.
---@param text string of the core
---@param consequence string? what is paid for
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.refuse(text, consequence)
  local is_deleted = text:find(IS_DELETED, 1, true)
  return errors.fail {
    kind = "file", outcome = "not_sent", call_name = "batch:run", what = M.text(text), consequence = consequence,
    advice = is_deleted and PUT_BACK or CONTINUE, hint = not is_deleted and "same_folder" or nil,
  }
end

--- The folder can't be used.
---@param folder string
---@param path string that the core tried
---@param text string of the core, which begins with the path
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.of_folder(folder, path, text)
  local reason = text:sub(1, #path + 2) == path .. ": " and text:sub(#path + 3) or text
  local message = ("out: the folder %s can't be used: %s. Nothing was sent"):format(folder, M.text(reason))
  return errors.refuse("file", message, nil, "client:batch")
end

return M
