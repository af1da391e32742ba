--- Row of a batch's jobs: CSV files, read and checked.
local M = {}

local LUAS = { "lua5.4", "luajit" }

function M.jobs(harness)
  local cells = {}
  local function add(way, count)
    harness.each(cells, LUAS, function(lua)
      local line = harness.lua(lua, "jobs.lua", way, count)
      return { name = ("%s %s, %s"):format(count, way, lua), measure = harness.command(line) }
    end)
  end
  for _, way in ipairs { "read", "done", "check" } do add(way, "100000") end
  add("read", "1000000")
  harness.show("jobs of a CSV file", "us each", cells)
end

return M
