--- The length that a run left its journal with, in a file beside it: lines that are removed from the end leave no other trace. A run
--- that is killed leaves the length of the run before.
local core = require "devkit4ai.core"

local M = {}

local SHORTER = "it %s, with steps of jobs that may be paid for. Nothing was sent. Put back the file as the last run "
  .. "left it. To do without those steps, which may pay for their jobs again, remove the file %s"

local function path_of(journal)
  return journal .. ".length"
end

--- Notes the length. If that fails, a shorter one stays, which is right, too.
---@param journal string path of the journal
---@param length integer bytes
function M.note(journal, length)
  core.save(path_of(journal), ("%.0f\n"):format(length))
end

--- Why a journal is not what a run left.
---@param journal string path of the journal
---@param length integer bytes of its whole lines; 0: there is no journal
---@return string? problem
function M.problem(journal, length)
  local file = io.open(path_of(journal), "rb")
  local known = file and tonumber(file:read "*l")
  if file then file:close() end
  if not known or length >= known then return nil end
  local what = length == 0 and "is missing or empty" or ("lacks %.0f bytes at its end"):format(known - length)
  return SHORTER:format(what, path_of(journal))
end

return M
