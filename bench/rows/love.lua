--- Rows of LÖVE: what devkit4ai.update takes in each frame of a game, beside a function of the same length without the library.
local M = {}

function M.love(harness, shared, start_server)
  if not os.execute "command -v love >/dev/null && command -v xvfb-run >/dev/null" then
    print "love is not measured: LÖVE or xvfb-run is not installed (tools/packages love; xvfb, xauth)"
    return
  end
  local slow = start_server(shared.tls .. " --rate 650000")
  local fast, plain = start_server(shared.tls), start_server "--delay 0.05"
  local cells = {}
  local function add(name, base, has_goal, ...)
    local game = "xvfb-run -a " .. harness.environment "luajit" .. "love " .. harness.script "love"
    harness.add_frames(cells, name, base, has_goal, harness.command(game, harness.script "frames.lua", ...))
  end
  local short, long = "a loop of 10 us that reads the clock", "a loop of 50 us that reads the clock"
  add(short, short, false, "spin 1200 10")
  add("idle", short, true, "idle 1200")
  add("idle, a second update in the frame", short, false, "again 1200")
  add(long, long, false, "spin 1200 50")
  add("5 x 10 MB, TLS, 650 KB/s each", long, true, "upload", slow, shared.certificate, shared.images)
  add("5 x 10 MB, TLS, as fast as it goes", long, false, "upload", fast, shared.certificate, shared.images)
  add("responses of 100 tasks in one frame", long, true, "burst", plain, "20 100")
  harness.show("love: frames of a game in LÖVE, 60 a second", "us", cells, 3)
end

return M
