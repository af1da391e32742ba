--- Rows of frame loops: what devkit4ai.update takes in a frame, beside a loop that runs libcurl itself.
local M = {}

local GOAL = 100 -- microseconds, of which 999 frames in 1,000 take less

-- A program of bench/engines or bench/peers, on all cores: the engine's thread is not the frames'.
local function command(harness, program, ...)
  return harness.command(table.concat({ harness.environment "lua5.4", harness.program(program), ... }, " "))
end

-- The cells of a frame loop, which runs once for all of them. base: the loop whose figures x is taken to.
local function add_frames(cells, name, base, goal, run)
  local figures
  local names = { "p50", "p99.9", "p99.9, CPU" }
  for i, what in ipairs(names) do
    cells[#cells + 1] = {
      name = ("%s: %s"):format(name, what), base = ("%s: %s"):format(base, what), figure = i == 2 and goal or nil,
      measure = function()
        if i == 1 then figures = { run() } end
        return figures[i]
      end,
    }
  end
end

local function add_game(harness, cells, name, goal, ...)
  add_frames(cells, name, "update()", goal, command(harness, "frames", ...))
end

local function add_inline(harness, cells, ...)
  add_frames(cells, "curl_multi_perform inline", "update()", nil, command(harness, "inline_libcurl", ...))
end

local function script(harness, ...)
  return table.concat({ harness.script "frames.lua", ... }, " ")
end

local function cost_of_idle_frames(harness)
  local cells = {}
  for _, mode in ipairs { "cost", "sleeper" } do
    harness.each(cells, harness.ALL_LUAS, function(lua)
      return { name = lua .. (mode == "cost" and ", no task" or ", a task sleeps"), figure = 0.5,
        measure = harness.command(harness.lua(lua, "frames.lua", mode, "1000000")) }
    end)
  end
  harness.show("F1: 1,000,000 updates in which nothing is ready, none of which allocates", "us each", cells)
end

local function first_update(harness)
  local cells = {}
  harness.each(cells, harness.ALL_LUAS, function(lua)
    return { name = lua, measure = harness.command(harness.lua(lua, "frames.lua", "first")) }
  end)
  harness.show("F1: the first update, which loads all modules", "us", cells)
end

local function idle_frames(harness)
  local cells = {}
  local run = command(harness, "frames", "paced", script(harness, "idle 600"))
  add_frames(cells, "update()", "update()", GOAL, function()
    local figures = { run() }
    assert(figures[5] == 0 and figures[6] == 0, "an idle update allocates")
    return table.unpack(figures)
  end)
  add_game(harness, cells, "an empty function", nil, "paced", script(harness, "nothing 600"))
  add_inline(harness, cells, "idle 600")
  harness.show("F1: 600 idle frames at 60 a second, lua5.4", "us", cells)
end

function M.F1(harness)
  cost_of_idle_frames(harness)
  first_update(harness)
  idle_frames(harness)
end

function M.F2(harness, shared, start_server)
  local cells, fast = {}, start_server(shared.tls)
  local slow = start_server(shared.tls .. " --rate 650000")
  local arguments = ("upload %s %s %s"):format(slow, shared.certificate, shared.images)
  add_game(harness, cells, "update()", GOAL, "paced", script(harness, arguments))
  add_inline(harness, cells, arguments)
  harness.show("F2: frames at 60 a second during 5 uploads of 10 MB, TLS, 650 KB/s each, lua5.4", "us", cells, 3)
  cells = {}
  arguments = ("upload %s %s %s"):format(fast, shared.certificate, shared.images)
  add_game(harness, cells, "update()", nil, "paced", script(harness, arguments))
  add_inline(harness, cells, arguments)
  harness.show("F2: the same as fast as it goes", "us", cells)
  cells = {}
  arguments = ("send %s %s %s"):format(fast, shared.certificate, shared.images)
  add_game(harness, cells, "update()", nil, "paced", script(harness, arguments))
  harness.show("F2: the frames that send those requests", "us", cells)
end

function M.F3(harness, _, start_server)
  local cells, arguments = {}, start_server("--delay 0.05") .. " 20 100"
  add_game(harness, cells, "update()", GOAL, "free", script(harness, "burst", arguments))
  add_game(harness, cells, "update(), Lua's collector is on", nil, "free", script(harness, "collected", arguments))
  add_game(harness, cells, "update { budget = 1000 }", nil, "free", script(harness, "unlimited", arguments))
  add_inline(harness, cells, "burst", arguments)
  harness.show("F3: frames that hand out the responses of 100 tasks, lua5.4", "us", cells)
end

return M
