--- The lengths that runs left a journal with, a line for each and an empty one before it, in a file beside it: lines that are
--- removed from the end of a journal leave no other trace. A run that is killed adds no line.
local core = require "devkit4ai.core"

local M = {}

local LINE, LONGEST = "\n%.0f\n", 64 -- bytes; the first line feed ends what a power failure left of the line before

local SHORTER = "it %s, with steps of jobs that may be paid for. Nothing was sent. Put back the file as the last run "
  .. "left it. To do without those steps, which may pay for their jobs again, remove the file %s"

local function path_of(journal)
  return journal .. ".length"
end

---@class devkit4ai.batch.KnownLength
---@field private _file userdata core.journal's; open during the run, so that a folder that is moved keeps its own length
local KnownLength = {}
KnownLength.__index = KnownLength

--- Opens the file when a run begins.
---@param journal string path of the journal
---@return devkit4ai.batch.KnownLength? known_length nil: it can't be written; then the length before stays, which is not wrong
function M.open(journal)
  local file = core.journal(path_of(journal), true)
  return file and setmetatable({ _file = file }, KnownLength)
end

--- Notes the length, and closes the file.
---@param length integer bytes
function KnownLength:close(length)
  self._file:append(LINE:format(length))
  self._file:close()
end

-- The length in the last whole line. nil: there is none.
local function last_of(path)
  local file = core.journal(path, false)
  if not file then return nil end
  local text = file:read(math.max(0, file:length() - LONGEST), LONGEST)
  file:close()
  local digits = text and text:gsub("[^\n]*$", ""):match "(%d+)\n+$"
  return digits and tonumber(digits)
end

--- Why a journal is not what a run left.
---@param journal string path of the journal
---@param length integer bytes of its whole lines; 0: there is no journal
---@return string? problem
function M.problem(journal, length)
  local known = last_of(path_of(journal))
  if not known or length >= known then return nil end
  local what = length == 0 and "is missing or empty" or ("lacks %.0f bytes at its end"):format(known - length)
  return SHORTER:format(what, path_of(journal))
end

return M
