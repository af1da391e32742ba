--- Rows of the event loops: the same work in our own loop and in those of others.
local M = {}

-- A loop is one line: its module, and the Luas that it is measured on.
local LOOPS = {
  { name = "cqueues", module = "cqueues", luas = { "lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit" } },
}

local LUAS = { "lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit" }

-- Cells of our own loop, then of each other one, whose ratio is to our own loop in the same Lua.
local function cells_of(harness, measure, ratio)
  local cells = {}
  harness.each(cells, LUAS, function(lua)
    local name = "own, " .. lua
    return { name = name, base = name, measure = measure(lua, "own") }
  end)
  for _, loop in ipairs(LOOPS) do
    harness.each_with(cells, loop.name, loop.module, loop.luas, function(lua)
      local name = loop.name .. ", " .. lua
      return { name = name, base = "own, " .. lua, ratio = ratio, measure = measure(lua, loop.name) }
    end)
  end
  return cells
end

function M.R2h(harness, _, start_server)
  local url = start_server("", harness.pin_apart)
  for _, many in ipairs { { 64, 200 }, { 1000, 2000 } } do
    local at_once, warm = many[1], many[2]
    local cells = cells_of(harness, function(lua, loop)
      return harness.command(harness.lua(lua, "client.lua", "many", url, "10000", warm, at_once, loop))
    end, 1.15)
    harness.show(("R2h: 10,000 small GETs, %d at once, in each loop (x: to own)"):format(at_once), "us a call", cells)
  end
end

function M.R7h(harness)
  local cells = cells_of(harness, function(lua, loop)
    return harness.command(harness.lua(lua, "waiting_tasks.lua", "own", "10000", loop))
  end)
  harness.show("R7h: 10,000 tasks that wait 0.1 to 0.6 s, in each loop (x: to own)", "us each", cells)
end

function M.wake(harness)
  local cells = cells_of(harness, function(lua, loop)
    return harness.command(harness.lua("lua5.4", "wakes.lua", "post", "1000"), "|",
      harness.lua(lua, "wakes.lua", loop, "1000"))
  end)
  harness.show("wake: from the signal to the caller that waits, median of 1,000 (x: to own)", "us", cells)
end

return M
