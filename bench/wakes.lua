--- Benchmark of a wake-up: the time from the moment at which another process wrote its clock to the moment at which the caller
--- that waits for it goes on. It stands for the engine's thread, which tells that a transfer has finished.
---
---     wakes.lua post COUNT                        writes COUNT times, 1 to 2 ms apart
---     wakes.lua post COUNT | wakes.lua LOOP COUNT  prints the median in microseconds; LOOP: of hosts.lua
local core = require "devkit4ai.core"

local mode, count = arg[1], tonumber(arg[2])

local function post()
  io.stdout:setvbuf("no")
  for i = 1, count do
    core.pause(0.001 + i * 7919 % 1000 / 1e6)
    io.stdout:write(("%.9f\n"):format(core.now()))
  end
end

local function wait(loop_name)
  local hosts = dofile((arg[0]:match("^.*/") or "") .. "hosts.lua")
  assert(require("devkit4ai").new { loop = loop_name }):close()
  local loop, slot, left, sent = require "devkit4ai.loop.host", {}, count, nil
  local engine = {
    fd = function() return 0 end, pending = function() return left end, ready = function() return true end,
    start = function() return true end,
  }
  local function drain()
    sent, left = tonumber(io.read()), left - 1
    loop.wake(slot)
  end
  local seconds = {}
  hosts[loop_name](function()
    loop.watch(engine, drain)
    for i = 1, count do
      loop.park(slot, math.huge)
      seconds[i] = core.now() - sent
    end
  end)
  table.sort(seconds)
  print(("%.3f"):format(seconds[math.floor(count / 2) + 1] * 1e6))
end

if mode == "post" then post() else wait(mode) end
