--- A game in LÖVE, at 60 frames per second, around bench/frames.lua: measures what its update takes in each frame.
---
---     love bench/love SCRIPT MODE ARGUMENT...   SCRIPT: the path of bench/frames.lua, whose modes these are
---
--- Prints microseconds: p50, p99.9, and p99.9 of the CPU time of this thread. The first second is not measured: LuaJIT compiles
--- this file in it.
local ffi = require "ffi"
local devkit4ai = require "devkit4ai"

ffi.cdef "typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int clock, moment *now);"
local MONOTONIC, THREAD = 1, 3 -- Linux's CLOCK_MONOTONIC and CLOCK_THREAD_CPUTIME_ID
local FRAME, WARM_UP = 1e6 / 60, 60 -- microseconds, frames
local moment = ffi.new "moment"

local function microseconds(clock)
  ffi.C.clock_gettime(clock, moment)
  return tonumber(moment.seconds) * 1e6 + tonumber(moment.nanoseconds) / 1e3
end

local elapsed, cpu, due, angle, frame = {}, {}, 0, 0, 0
local prepare, update -- of the script

local function percentile(list, part)
  table.sort(list)
  return list[math.min(#list, math.floor(part * #list) + 1)]
end

function love.load(words)
  _G.arg = { [0] = words[1], unpack(words, 2) }
end

function love.update()
  frame = frame + 1
  if frame > WARM_UP and not prepare() then
    print(percentile(elapsed, 0.5), percentile(elapsed, 0.999), percentile(cpu, 0.999))
    return love.event.quit()
  end
  local run = frame > WARM_UP and update or devkit4ai.update
  local cpu_before, before = microseconds(THREAD), microseconds(MONOTONIC)
  run()
  elapsed[#elapsed + 1] = microseconds(MONOTONIC) - before
  cpu[#cpu + 1] = microseconds(THREAD) - cpu_before
  if frame == WARM_UP then
    elapsed, cpu = {}, {}
    prepare, update = dofile(arg[0])
    collectgarbage "restart"
  end
end

function love.draw()
  angle = angle + 0.02
  for i = 1, 40 do
    love.graphics.circle("line", 400 + 200 * math.cos(angle + i), 300 + 200 * math.sin(angle * i / 9), 30)
  end
  due = math.max(due + FRAME, microseconds(MONOTONIC))
  love.timer.sleep((due - microseconds(MONOTONIC)) / 1e6)
end
