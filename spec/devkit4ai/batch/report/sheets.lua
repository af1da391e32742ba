-- Contact sheets for the specs.
local counts = require "devkit4ai.batch.report.counts"

local M = {}

--- A sheet. jobs: each with name, instructions, the last step, and `reason` and `paid`, the number of its payments.
---@param jobs table[]
---@param changes table? other fields of the sheet
function M.new(jobs, changes)
  local sheet, states = { title = "results", time = 1796178000, counts = counts.new(#jobs, 0), jobs = {} }, {}
  for i, row in ipairs(jobs) do
    local job = { number = i, name = row[1], instructions = row[2] }
    sheet.jobs[i] = job
    states[job] = { step = row[3], reason = row.reason, paid = (row.paid or 0) > 0 }
    sheet.counts:restore(job.name, row[3], row.paid)
  end
  function sheet.state_of(job) return states[job] end
  function sheet.line_of(job) return "again " .. job.name end
  for name, value in pairs(changes or {}) do sheet[name] = value end
  return sheet
end

return M
