--- The report of a run: writes the contact sheet at the end, and from time to time before.
local contact_sheet = require "devkit4ai.batch.report.contact_sheet"

local M = {}

--- The name of the page in the folder of the results.
M.NAME = "index.html"

local PAUSE = 10 -- seconds between two pages during a run, at least
local SHARE = 50 -- a page is written after 50 times the CPU time of the last one, so pages take at most 2 % of the CPU

---@class devkit4ai.batch.Report
---@field path string of the page
---@field problem string? why the last page could not be written
---@field private _sheet devkit4ai.batch.Sheet
---@field private _next number when the next page may be written
local Report = {}
Report.__index = Report

---@param folder string of the results
---@param sheet devkit4ai.batch.Sheet without title and time
---@param now number seconds, by any clock that `update` gets, too
---@return devkit4ai.batch.Report
function M.new(folder, sheet, now)
  sheet.title = folder:gsub("/+$", ""):match "[^/]*$"
  if sheet.title == "" then sheet.title = folder end
  return setmetatable({
    path = folder:gsub("([^/])$", "%1/") .. M.NAME, _sheet = sheet, _next = now + PAUSE,
  }, Report)
end

local function write(report)
  report._sheet.time = os.time()
  local _, problem = contact_sheet.write(report.path, report._sheet)
  report.problem = problem
end

--- Writes the page, unless the last one is too young.
---@param now number
function Report:update(now)
  if now < self._next then return end
  local before = os.clock()
  write(self)
  self._next = now + math.max(PAUSE, SHARE * (os.clock() - before))
end

--- Writes the page of the end.
---@param note string? why not all jobs have ended
function Report:finish(note)
  self._sheet.note = note
  write(self)
end

return M
