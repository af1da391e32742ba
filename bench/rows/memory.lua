--- Rows of memory: clients of end users, calls in flight, idle connections, tasks that wait.
local M = {}

local function clients(harness, url)
  local cells = {}
  for _, where in ipairs { "resident", "heap" } do
    harness.each(cells, harness.ALL_LUAS, function(lua)
      return { name = lua .. (where == "heap" and ", of it in Lua" or ", secrets included"),
        figure = where == "resident" and 1024 or nil,
        measure = harness.command(harness.lua(lua, "client.lua", "clients", url, "10000", where)) }
    end)
  end
  harness.show("R6: 10,000 end users' clients, two tokens each", "bytes each", cells, 1)
end

local function flight(harness, shared, url)
  local raw = "raw libcurl"
  local cells = { { name = raw,
    measure = harness.command(harness.raw_libcurl("flight", url, shared.me_head, "1000")) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "a coroutine, 5 calls deep, " .. lua,
      measure = harness.command(harness.lua(lua, "waiting_tasks.lua", "coroutines", "10000")) }
  end)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "libcurl, coroutine and 1 KB, " .. lua, measure = function(seen)
      return seen[raw].figure + seen["a coroutine, 5 calls deep, " .. lua].figure + 1024
    end }
  end)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = ("this client, a task each, %s (x: to the three)"):format(lua),
      base = "libcurl, coroutine and 1 KB, " .. lua, ratio = 1,
      measure = harness.command(harness.lua(lua, "client.lua", "flight", url, "1000")) }
  end)
  harness.show("R6: 1,000 calls in flight", "bytes each", cells, 1)
end

local function pool(harness, start_server)
  local url, cells = start_server("", harness.pin), {}
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, " .. lua, figure = 1 + 4,
      measure = harness.command(harness.lua(lua, "client.lua", "pool", url, "64")) }
  end)
  harness.show("R6: connections after 64 at once, then 64 one by one: the last call's, and four idle", "open", cells, 1)
end

function M.R6(harness, shared, start_server)
  local url = start_server("", harness.pin)
  clients(harness, url)
  flight(harness, shared, url)
  pool(harness, start_server)
end

local function waiting_tasks(harness, lua, kind)
  return harness.command(harness.lua(lua, "waiting_tasks.lua", kind, "10000"))
end

function M.R7(harness)
  local cells = {}
  harness.each_with(cells, "cqueues", "cqueues", harness.ALL_LUAS, function(lua)
    return { name = "cqueues, wrap, " .. lua, base = "cqueues, wrap, " .. lua,
      measure = waiting_tasks(harness, lua, "cqueues") }
  end)
  local known = #cells > 0
  -- on plain Lua 5.1 a promise can't wait: it runs inside a pcall
  local luas = { "lua5.2", "lua5.3", "lua5.4", "luajit" }
  harness.each_with(cells, "cqueues.promise", "cqueues.promise", luas, function(lua)
    return { name = "cqueues.promise, which can be joined, " .. lua, base = "cqueues, wrap, " .. lua,
      measure = waiting_tasks(harness, lua, "promises") }
  end)
  harness.each(cells, harness.ALL_LUAS, function(lua)
    local base = known and "cqueues, wrap, " .. lua or nil
    return { name = "this client, a task each, " .. lua, base = base, ratio = base and 1, lightness = base and 0.8,
      measure = waiting_tasks(harness, lua, "own") }
  end)
  harness.show("R7: 10,000 tasks that wait 0.1 to 0.6 s (x: to cqueues, wrap, in the same Lua)", "us each", cells)
end

return M
