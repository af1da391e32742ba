--- Benchmark of many waiting tasks: creates them, each sleeps for 0.1 to 0.6 s, and ends.
---
---     waiting_tasks.lua own COUNT [LOOP]     tasks of this client, put to sleep as gen:wait does it; LOOP: of hosts.lua
---     waiting_tasks.lua cqueues COUNT        coroutines of cqueues
---     waiting_tasks.lua promises COUNT       the same as cqueues' promises, which can be joined, as a task can
---     waiting_tasks.lua coroutines COUNT     bare coroutines, five calls deep: prints bytes of memory for each
---
--- Prints microseconds of CPU for each, and the KiB of memory that all of them held while they slept. The garbage collector
--- is off: the time of a collection differs from run to run.
local here = arg[0]:match("^.*/") or ""
local hosts, measure = dofile(here .. "hosts.lua"), dofile(here .. "measure.lua")

local count = tonumber(arg[2])

-- seconds of the i-th sleep: spread evenly, far from sorted
local function length(i)
  return 0.1 + i * 7919 % count / count / 2
end

local modes = {}

function modes.own()
  local devkit4ai, waits = require "devkit4ai", require "devkit4ai.loop.waits"
  local client, loop = {}, arg[3] or "own" -- a client, as each wait of a client has one
  assert(devkit4ai.new { loop = loop }):close()
  return function(asleep)
    hosts[loop](function()
      local tasks = {}
      for i = 1, count do
        tasks[i] = devkit4ai.spawn(function() waits.sleep(length(i), client) end)
      end
      devkit4ai.spawn(asleep)
      for i = 1, count do tasks[i]:join() end
    end)
  end
end

function modes.promises()
  local cqueues, promise = require "cqueues", require "cqueues.promise"
  return function(asleep)
    local loop, sleep, promises = cqueues.new(), cqueues.sleep, {}
    loop:wrap(function()
      for i = 1, count do
        promises[i] = promise.new(function() sleep(length(i)) end)
      end
      loop:wrap(asleep)
      for i = 1, count do promises[i]:get() end
    end)
    assert(loop:loop())
  end
end

function modes.cqueues()
  local cqueues = require "cqueues"
  return function(asleep)
    local loop, sleep = cqueues.new(), cqueues.sleep
    for i = 1, count do
      loop:wrap(function() sleep(length(i)) end)
    end
    loop:wrap(asleep)
    assert(loop:loop())
  end
end

local function measure_sleep(work)
  collectgarbage()
  collectgarbage("stop")
  local before, held, start = measure.memory "VmRSS", nil, os.clock()
  work(function() held = measure.memory "VmRSS" - before end)
  print(("%.3f %d"):format((os.clock() - start) / count * 1e6, held))
end

local function call(depth)
  if depth == 1 then coroutine.yield() else call(depth - 1) end
  return true
end

if arg[1] == "coroutines" then
  measure.bytes(count, function(list)
    for i = 1, count do
      list[i] = coroutine.create(call)
      coroutine.resume(list[i], 5)
    end
  end)
else
  measure_sleep(modes[arg[1]]())
end
