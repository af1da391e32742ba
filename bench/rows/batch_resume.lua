--- Row of a batch that is continued with a journal of 100,000 done jobs: the CPU until the first new job could be sent.
local M = {}

local LUAS, COUNT = { "lua5.4", "luajit" }, "100000"
local SECONDS = 2 -- for all jobs together

function M.resume(harness, shared)
  local cells = {}
  for _, last in ipairs { "journal", "checked", "sending" } do
    harness.each(cells, LUAS, function(lua)
      local goal = last == "sending" and SECONDS * 1e6 / tonumber(COUNT) or nil
      return { name = ("until %s, %s"):format(last, lua), figure = goal,
        measure = harness.command(harness.lua(lua, "batch_resume.lua", last, COUNT, harness.quote(shared.folder))) }
    end)
  end
  harness.show("a batch with 100,000 done jobs is continued", "us a done job", cells)
end

return M
