--- Benchmark of a wake-up: the time from the moment at which another process wrote its clock to the moment at which the caller
--- that waits for it goes on. It stands for the engine's thread, which tells that a transfer has finished.
---
---     wakes.lua post COUNT                        writes COUNT times, 1 to 2 ms apart
---     wakes.lua post COUNT | wakes.lua LOOP COUNT  prints the median in microseconds; LOOP: of hosts.lua
local core = require "devkit4ai.core"

local SIZE = 20 -- bytes of a clock's text
local mode, count = arg[1], tonumber(arg[2])

local function post()
  io.stdout:setvbuf("no")
  for i = 1, count do
    core.pause(0.001 + i * 7919 % 1000 / 1e6)
    io.stdout:write(("%020.9f"):format(core.now()))
  end
end

local function wait(loop_name)
  local hosts = dofile((arg[0]:match("^.*/") or "") .. "hosts.lua")
  assert(require("devkit4ai").new { loop = loop_name }):close()
  io.stdin:setvbuf("no") -- what is read is no more than what is asked for, and the descriptor tells of the rest
  local loop, slot, left, sent = require "devkit4ai.loop.host", {}, count, {}
  local engine = {
    fd = function() return 0 end, pending = function() return left end, ready = function() return left > 0 end,
    start = function() return true end, alarm = function() return true end, forked = function() return false end,
  }
  local function drain()
    sent[#sent + 1], left = tonumber(io.read(SIZE)), left - 1
    loop.wake(slot)
  end
  local seconds = {}
  hosts[loop_name](function()
    loop.watch(engine, drain)
    assert(loop.usable())
    for i = 1, count do
      while not sent[1] do loop.park(slot, math.huge) end
      seconds[i] = core.now() - table.remove(sent, 1)
    end
  end)
  table.sort(seconds)
  print(("%.3f"):format(seconds[math.floor(count / 2) + 1] * 1e6))
end

if mode == "post" then post() else wait(mode) end
