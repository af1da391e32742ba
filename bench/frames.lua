--- Benchmark of devkit4ai.update in a frame loop.
---
---     frames.lua cost COUNT                  microseconds of CPU of an update in which nothing is ready; raises if COUNT of
---                                            them allocate anything in Lua
---     frames.lua sleeper COUNT               the same while a task sleeps, as one does that waits for a generation
---     frames.lua first                       microseconds of CPU of the first update, which loads all modules
---
--- For bench/engines/frames.c and bench/love, which run the frames and measure them. The garbage collector runs between the
--- updates, so that the updates get memory that was used before: a new page of it costs more than what an update does.
---
---     frames.lua spin COUNT MICROSECONDS     a function that reads the clock for so long, in place of the update: what the
---                                            machine adds to each function that takes as long
---     frames.lua idle COUNT                  nothing is ready
---     frames.lua again COUNT                 the same for a second update in the frame, whose code is in the caches
---     frames.lua upload BASE ROOTS FILE...   each file is sent in a task of its own, with on_upload
---     frames.lua send BASE ROOTS FILE...     only the updates that send those requests
---     frames.lua burst BASE COUNT TASKS      COUNT times: the responses of so many tasks are there in one frame
---     frames.lua unlimited BASE COUNT TASKS  the same without a limit of the time of an update
---     frames.lua collected BASE COUNT TASKS  as burst; the garbage collector runs in the updates, where it chooses to
local devkit4ai = require "devkit4ai"
local core = require "devkit4ai.core"

local modes = {}
-- In the others nothing is allocated. A step of Lua 5.4's collector would free places of calls, which an update then allocates.
local MAKES_GARBAGE = { upload = true, send = true, burst = true, unlimited = true }

function modes.first()
  local start = os.clock()
  devkit4ai.update()
  print(("%.3f"):format((os.clock() - start) * 1e6))
end

function modes.cost()
  local count = tonumber(arg[2])
  for _ = 1, 1000 do devkit4ai.update() end
  local before, start = collectgarbage "count", os.clock()
  for _ = 1, count do devkit4ai.update() end
  local seconds, bytes = os.clock() - start, (collectgarbage "count" - before) * 1024
  if not rawget(_G, "jit") then assert(bytes == 0, bytes .. " bytes were allocated") end -- a JIT compiler allocates traces
  print(("%.4f"):format(seconds / count * 1e6))
end

function modes.sleeper()
  devkit4ai.spawn(function() devkit4ai.sleep(1000) end)
  modes.cost()
end

function modes.idle(update)
  local left = tonumber(arg[2])
  return function()
    left = left - 1
    return left >= 0
  end, update or devkit4ai.update
end

function modes.spin()
  local seconds = tonumber(arg[3]) / 1e6
  return modes.idle(function()
    local over = core.now() + seconds
    repeat until core.now() >= over
  end)
end

function modes.again()
  local prepare, update = modes.idle()
  return function()
    update()
    return prepare()
  end, update
end

local function new_client(roots)
  return dofile((arg[0]:match("^.*/") or "") .. "new_client.lua").new(arg[2], roots)
end

-- Starts a task for each file. Gives a function that returns how many uploads are not over.
local function start_uploads()
  local client, left = new_client(arg[3]), #arg - 3
  for i = 4, #arg do
    devkit4ai.spawn(function()
      assert(client:generate { images = { arg[i] }, prompt = "a sprite", on_upload = function() end })
      left = left - 1
    end)
  end
  return function() return left end
end

function modes.upload()
  local left = start_uploads()
  devkit4ai.update { budget = 1000 } -- sends the requests
  return function() return left() > 0 end, devkit4ai.update
end

function modes.send()
  local left, engine = start_uploads(), require("devkit4ai.loop.engine").current()
  return function()
    if engine:pending() < #arg - 3 then return true end
    while left() > 0 do devkit4ai.update() end
    return false
  end, devkit4ai.update
end

-- Starts tasks whose calls are answered after a while, and waits until the responses are there.
local function start_calls(client, count, over)
  for _ = 1, count do
    devkit4ai.spawn(function()
      assert(client:me())
      over()
    end)
  end
  devkit4ai.update { budget = 1000 }
  core.pause(0.15)
end

local function burst(options)
  local client, count, tasks = new_client(), tonumber(arg[3]), tonumber(arg[4])
  local open, bursts = 0, -1 -- the first burst, which opens the connections, is not measured
  local function over() open = open - 1 end
  return function()
    while open == 0 do
      if bursts == count then return false end
      bursts, open = bursts + 1, tasks
      start_calls(client, tasks, over)
      while bursts == 0 and open > 0 do devkit4ai.update { budget = 1000 } end
    end
    return true
  end, function() devkit4ai.update(options) end
end

function modes.burst()
  return burst()
end

function modes.unlimited()
  return burst { budget = 1000 }
end

modes.collected = modes.burst

if arg[1] ~= "first" then devkit4ai.update() end -- loads the modules, and starts the thread
if arg[1] ~= "collected" then collectgarbage "stop" end
local prepare, update = modes[arg[1]]()
return function()
  if MAKES_GARBAGE[arg[1]] then collectgarbage "step" end
  return prepare()
end, update
