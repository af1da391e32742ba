--- The length that a run left its journal with, in a file beside it: lines that are removed from the end leave no other trace. A run
--- that is killed leaves the length of the run before.
local M = {}

---@class devkit4ai.batch.KnownLength
---@field private _file file* stays open during the run, so that a folder that is moved keeps its own length
local KnownLength = {}
KnownLength.__index = KnownLength

local FORM = "%-20.0f\n" -- each text replaces the one before

local SHORTER = "it %s, with steps of jobs that may be paid for. Nothing was sent. Put back the file as the last run "
  .. "left it. To do without those steps, which may pay for their jobs again, remove the file %s"

local function path_of(journal)
  return journal .. ".length"
end

--- Opens the file at the begin of a run.
---@param journal string path of the journal
---@return devkit4ai.batch.KnownLength? known_length nil: it can't be written; then the length before stays, which is not wrong
function M.open(journal)
  local path = path_of(journal)
  local file = io.open(path, "r+b") or io.open(path, "w+b")
  return file and setmetatable({ _file = file }, KnownLength)
end

--- Notes the length, and closes the file.
---@param length integer bytes
function KnownLength:close(length)
  self._file:seek("set", 0)
  self._file:write(FORM:format(length))
  self._file:close()
end

--- Why a journal is not what a run left.
---@param journal string path of the journal
---@param length integer bytes of its whole lines; 0: there is no journal
---@return string? problem
function M.problem(journal, length)
  local file = io.open(path_of(journal), "rb")
  local known = file and tonumber((file:read "*l"))
  if file then file:close() end
  if not known or length >= known then return nil end
  local what = length == 0 and "is missing or empty" or ("lacks %.0f bytes at its end"):format(known - length)
  return SHORTER:format(what, path_of(journal))
end

return M
