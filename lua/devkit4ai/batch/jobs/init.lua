--- The jobs of a batch: read from what the user gave, and checked before the first payment.
local check = require "devkit4ai.batch.jobs.check"
local job_of = require "devkit4ai.batch.jobs.job"
local source_of = require "devkit4ai.batch.jobs.source"

---@class devkit4ai.batch.Jobs
---@field label string what the user gave: "jobs.csv"
---@field unit "line"|"job" what `job.line` counts
---@field private _source devkit4ai.batch.Source
---@field private _make fun(row: table, number: integer, line: integer): devkit4ai.batch.Job?, string?
local Jobs = {}
Jobs.__index = Jobs

local M = {}

--- Opens the jobs. Only the start of a file is read.
---@param given string|table|function|file* see devkit4ai.batch.jobs.source
---@param options devkit4ai.batch.JobOptions the templates
---@return devkit4ai.batch.Jobs? jobs
---@return string? why
---@return "file"|"invalid"|nil kind of the error
function M.open(given, options)
  local make, wrong = job_of.maker(options)
  if not make then return nil, wrong, "invalid" end
  local source, why, kind = source_of.open(given)
  if not source then return nil, why, kind or "invalid" end
  return setmetatable({ label = source.label, unit = source.unit, _source = source, _make = make }, Jobs)
end

--- An iterator over the jobs, one at a time. A file is read again in each pass: it may have changed, which job.digest shows.
--- The rows of a function and of a pipe stay in memory after the first pass.
---@param behind integer? the number of a job: those up to it are skipped
---@return (fun(): (devkit4ai.batch.Job|false|nil), integer?, string?)? next_job a job; false, its line and why: it can't be used; nil: the end
---@return string? why the file can no longer be read
function Jobs:each(behind)
  local next_row, why = self._source.rows()
  if not next_row then return nil, why end
  local make, position = self._make, 0
  return function()
    local row, line, problem
    repeat
      row, line, problem = next_row()
      if row == nil then return nil end
      position = position + 1
    until position > (behind or 0)
    if not row then return false, line, problem end
    local job, wrong = make(row, position, line)
    if not job then return false, line, wrong end
    return job
  end
end

--- Whether a job is still what its row says. A program can change the rows that it gave, or give one table for all of them.
---@param job devkit4ai.batch.Job
---@return boolean
function Jobs:is_unchanged(job)
  local again = self._make(job.row, job.number, job.line)
  return again ~= nil and again.name == job.name and again.digest == job.digest
end

--- Reads and checks all jobs.
---@param options devkit4ai.batch.CheckOptions
---@return devkit4ai.batch.Checked? checked
---@return string? message the first 20 problems with their lines, and the count
---@return "file"|"invalid"|nil kind of the error
function Jobs:check(options)
  local next_job, why = self:each()
  if not next_job then return nil, why, "file" end
  local checked = check.run(next_job, self.unit, options)
  local message = check.message(checked, self._source)
  if message then return nil, message, "invalid" end
  return checked
end

return M
