-- Contact sheets for the specs.
local counts = require "devkit4ai.batch.report.counts"

local M = {}

local FIELDS = { saved = "done", failed = "failed", undecided = "undecided" }

--- A sheet. jobs: each with name, instructions, the last step, and `reason` and `paid`.
---@param jobs table[]
---@param changes table? other fields of the sheet
function M.new(jobs, changes)
  local c = counts.new({ total = #jobs, done = 0, failed = 0 }, 0)
  local list, states = {}, {}
  for i, row in ipairs(jobs) do
    list[i] = { number = i, name = row[1], instructions = row[2] }
    states[row[1]] = { step = row[3], reason = row.reason, paid = row.paid }
    if FIELDS[row[3]] then c:add(FIELDS[row[3]], 1) end
  end
  local sheet = { title = "results", time = 1796178000, counts = c, payments = function() return 7 end }
  function sheet.each()
    local at = 0
    return function()
      at = at + 1
      return list[at]
    end
  end
  function sheet.state_of(job) return states[job.name] end
  function sheet.line_of(name) return "again " .. name end
  for name, value in pairs(changes or {}) do sheet[name] = value end
  return sheet
end

return M
