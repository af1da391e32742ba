--- A game in LÖVE, at 60 frames per second, around bench/frames.lua: measures what its update takes in each frame.
---
---     love bench/love SCRIPT MODE ARGUMENT...   SCRIPT: the path of bench/frames.lua, whose modes these are
---
--- Prints what bench/frame_times.h says. A frame is also disturbed if LuaJIT compiled code in it. The first five seconds are not
--- measured: LuaJIT compiles this file and an idle update in them.
local ffi = require "ffi"
local devkit4ai = require "devkit4ai"

ffi.cdef [[
typedef struct { long seconds, nanoseconds; } moment;
typedef struct { long others[16], voluntary, involuntary; } usage;
int clock_gettime(int clock, moment *now);
int getrusage(int who, usage *used);
]]
local MONOTONIC, THREAD = 1, 3 -- Linux's CLOCK_MONOTONIC and CLOCK_THREAD_CPUTIME_ID
local RUSAGE_THREAD = 1
local FRAME, WARM_UP = 1e6 / 60, 300 -- microseconds, frames
local moment, used = ffi.new "moment", ffi.new "usage"
local compiled = 0 -- events of LuaJIT's compiler

local function microseconds(clock)
  ffi.C.clock_gettime(clock, moment)
  return tonumber(moment.seconds) * 1e6 + tonumber(moment.nanoseconds) / 1e3
end

-- Changes whenever the kernel gives the core to another thread, or LuaJIT compiles.
local function disturbances()
  ffi.C.getrusage(RUSAGE_THREAD, used)
  return tonumber(used.voluntary + used.involuntary) + compiled
end

local elapsed, cpu, due, angle, frame = {}, {}, 0, 0, 0
local prepare, update -- of the script

local function percentile(list, part)
  table.sort(list)
  return list[math.min(#list, math.floor(part * #list) + 1)]
end

function love.load(words)
  _G.arg = { [0] = words[1], unpack(words, 2) }
  jit.attach(function() compiled = compiled + 1 end, "trace")
end

function love.update()
  frame = frame + 1
  if frame > WARM_UP and not prepare() then
    print(percentile(elapsed, 0.5), percentile(elapsed, 0.999), percentile(cpu, 0.999), 1000 * #cpu / #elapsed)
    return love.event.quit()
  end
  local run = frame > WARM_UP and update or devkit4ai.update
  local disturbed = disturbances()
  local cpu_before, before = microseconds(THREAD), microseconds(MONOTONIC)
  run()
  local took, cpu_took = microseconds(MONOTONIC) - before, microseconds(THREAD) - cpu_before
  elapsed[#elapsed + 1] = took
  if disturbances() == disturbed then cpu[#cpu + 1] = cpu_took end
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
