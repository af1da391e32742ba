--- Rows of LÖVE: what devkit4ai.update takes in each frame of a game, beside the same game without the library.
local M = {}

local GOAL = 100 -- microseconds, of which 999 frames in 1,000 take less

local function command(harness, ...)
  local run = "xvfb-run -a " .. harness.environment "luajit" .. "love"
  return harness.command(run, harness.script "love", harness.script "frames.lua", ...)
end

local function add(cells, name, base, goal, run)
  local figures
  for i, what in ipairs { "p50", "p99.9", "p99.9, CPU" } do
    cells[#cells + 1] = {
      name = ("%s: %s"):format(name, what), base = ("%s: %s"):format(base, what), figure = i == 2 and goal or nil,
      measure = function()
        if i == 1 then figures = { run() } end
        return figures[i]
      end,
    }
  end
end

function M.love(harness, shared, start_server)
  if not os.execute "command -v love >/dev/null && command -v xvfb-run >/dev/null" then
    print "love is not measured: LÖVE or xvfb-run is not installed (tools/packages love; xvfb, xauth)"
    return
  end
  local slow = start_server(shared.tls .. " --rate 650000")
  local fast, plain = start_server(shared.tls), start_server "--delay 0.05"
  local cells = {}
  add(cells, "without the library", "without the library", nil, command(harness, "nothing 1200"))
  add(cells, "idle", "without the library", GOAL, command(harness, "idle 1200"))
  add(cells, "5 x 10 MB, TLS, 650 KB/s each", "without the library", GOAL,
    command(harness, "upload", slow, shared.certificate, shared.images))
  add(cells, "5 x 10 MB, TLS, as fast as it goes", "without the library", nil,
    command(harness, "upload", fast, shared.certificate, shared.images))
  add(cells, "responses of 100 tasks in one frame", "without the library", GOAL,
    command(harness, "burst", plain, "20 100"))
  harness.show("love: frames of a game in LÖVE, 60 a second", "us", cells, 3)
end

return M
