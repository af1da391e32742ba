--- Rows of frame loops: what devkit4ai.update takes in a frame, beside a loop that runs libcurl itself.
local M = {}

-- A program of bench/engines or bench/peers, on all cores: the engine's thread is not the frames'.
local function command(harness, program, ...)
  return harness.command(table.concat({ harness.environment "lua5.4", harness.program(program), ... }, " "))
end

local function add_game(harness, cells, name, has_goal, ...)
  harness.add_frames(cells, name, "curl_multi_perform inline", has_goal, command(harness, "frames", ...))
end

local function add_inline(harness, cells, ...)
  local name = "curl_multi_perform inline"
  harness.add_frames(cells, name, name, false, command(harness, "inline_libcurl", ...))
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
  add_inline(harness, cells, "idle 600")
  harness.add_frames(cells, "update()", "curl_multi_perform inline", true, function()
    local figures = { run() }
    assert(figures[5] == 0 and figures[6] == 0, "an idle update allocates")
    return table.unpack(figures)
  end)
  add_game(harness, cells, "a second update() in the frame", false, "paced", script(harness, "again 600"))
  add_game(harness, cells, "a loop of 10 us that reads the clock", false, "paced", script(harness, "spin 600 10"))
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
  add_inline(harness, cells, arguments)
  add_game(harness, cells, "update()", true, "paced", script(harness, arguments))
  add_game(harness, cells, "a loop of 50 us that reads the clock", false, "paced", script(harness, "spin 900 50"))
  harness.show("F2: frames at 60 a second during 5 uploads of 10 MB, TLS, 650 KB/s each, lua5.4", "us", cells, 3)
  cells = {}
  arguments = ("%s %s %s"):format(fast, shared.certificate, shared.images)
  add_inline(harness, cells, "upload " .. arguments)
  add_game(harness, cells, "update()", false, "paced", script(harness, "upload " .. arguments))
  add_game(harness, cells, "the updates that send the requests", false, "paced", script(harness, "send " .. arguments))
  harness.show("F2: the same as fast as it goes", "us", cells)
end

function M.F3(harness, _, start_server)
  local cells, arguments = {}, start_server("--delay 0.05") .. " 20 100"
  add_inline(harness, cells, "burst", arguments)
  add_game(harness, cells, "update()", true, "free", script(harness, "burst", arguments))
  add_game(harness, cells, "update(), Lua's collector is on", false, "free", script(harness, "collected", arguments))
  add_game(harness, cells, "update { budget = 1000 }", false, "free", script(harness, "unlimited", arguments))
  harness.show("F3: frames that hand out the responses of 100 tasks, lua5.4", "us", cells)
end

return M
