--- Row of a batch against the sandbox: its CPU beside raw libcurl and beside a loop that generates, waits and saves, and its memory
--- for more jobs.
local M = {}

local COUNT, MORE = "200", "10000" -- jobs; MORE takes about four minutes
local MEMORY = 64 -- MB
local ROUNDS = 3

function M.batch(harness, shared)
  local environment = "env XDG_CACHE_HOME=" .. harness.quote(shared.folder) .. " "
  local function cell(name, lua, way, count, goals)
    goals.name = name
    goals.measure = harness.command(environment,
      harness.lua_on_all_cores(lua, "batch.lua", way, count, harness.quote(shared.folder)))
    return goals
  end
  local raw = "raw libcurl"
  local cells = { cell(raw, "lua5.4", harness.program("raw_libcurl"), COUNT, { base = raw }) }
  for _, lua in ipairs { "lua5.4", "luajit" } do
    if harness.works(lua .. " -e ''") then
      local loop = ("generate, wait, save; %s"):format(lua)
      cells[#cells + 1] = cell(loop, lua, "loop", COUNT, { base = raw })
      cells[#cells + 1] = cell("batch, " .. lua, lua, "batch", COUNT, { base = loop, ratio = 1.5, memory = MEMORY })
    end
  end
  harness.show(COUNT .. " jobs", "us a job", cells, ROUNDS)
  local few = ("batch of %s"):format(COUNT)
  harness.show("more jobs, lua5.4", "us a job", {
    cell(few, "lua5.4", "batch", COUNT, { memory = MEMORY }),
    cell(("batch of %s"):format(MORE), "lua5.4", "batch", MORE, { ratio = 1, memory = MEMORY }),
  }, 1)
end

return M
