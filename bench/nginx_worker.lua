--- The locations of bench/nginx.lua. Each function of M is one, and runs in a request of nginx. What it returns is the response.
local cosocket = require "peers.cosocket"
local clients = require "new_client"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local ffi = require "ffi"
local waits = require "devkit4ai.loop.waits"

ffi.cdef "struct bench_time { long seconds, nanoseconds; }; int clock_gettime(int, struct bench_time *);"

local M = {}

local url = os.getenv "BENCH_URL"
local client = clients.new(url, os.getenv "BENCH_ROOTS")
local port = tonumber(url:match("%d+$"))
local head -- of the request that the client sends

function M.nothing() return "ok" end

function M.api()
  return assert(client:me()).email
end

local function get()
  if not head then
    local file = assert(io.open(os.getenv "BENCH_HEAD", "rb"))
    head = file:read("*a")
    file:close()
  end
  return cosocket.get(port, head)
end

function M.cosocket() return get().email end

-- ---- clients that wait ----

local ARRIVAL = 20 -- seconds in which the clients come: 50 a second, as many as gen:wait polls
local HOURS = 10000 -- seconds
local parked = 0

local function arrive()
  parked = parked + 1
  ngx.sleep(math.random() * ARRIVAL)
end

function M.asleep()
  arrive()
  ngx.sleep(HOURS)
end

-- The least that a client does which asks every 30 seconds.
function M.cosocket_polls()
  arrive()
  while true do
    get()
    ngx.sleep(30)
  end
end

function M.generation(arguments)
  arrive()
  local _, message = client:project(clients.PROJECT):generation(clients.GENERATION):wait {
    timeout = HOURS, interval = tonumber(arguments.interval),
  }
  return message
end

--- Requests that wait, and KiB of Lua's heap.
function M.state()
  collectgarbage()
  collectgarbage()
  return ("%d %.1f"):format(parked, collectgarbage("count"))
end

-- ---- tasks in one request ----

-- Prints microseconds of CPU for each of `count` items, the engine's thread included.
local function cpu(count, work)
  local start = os.clock()
  work()
  return ("%.3f"):format((os.clock() - start) / count * 1e6)
end

function M.many(arguments)
  local at_once, count = tonumber(arguments.at_once), 10000
  clients.call_many(client, at_once, 2 * at_once)
  return cpu(count, function() clients.call_many(client, at_once, count) end)
end

function M.tasks(arguments)
  local count, tasks = tonumber(arguments.count), {}
  return cpu(count, function()
    for i = 1, count do
      tasks[i] = devkit4ai.spawn(function() waits.sleep(0.1 + i * 7919 % count / count / 2, client) end)
    end
    for i = 1, count do tasks[i]:join() end
  end)
end

-- ---- stalls ----

local time = ffi.new "struct bench_time"
local THREAD_CPU = 3 -- CLOCK_THREAD_CPUTIME_ID

-- CPU seconds of this thread, without the engine's.
local function thread_cpu()
  ffi.C.clock_gettime(THREAD_CPU, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

-- Seconds that this thread has waited for a core: others ran on it, which is no stall of the worker's own.
local function thread_waited()
  local file = assert(io.open "/proc/thread-self/schedstat")
  local nanoseconds = file:read("*l"):match("^%d+ (%d+)")
  file:close()
  return nanoseconds / 1e9
end

local TICK = 0.001 -- seconds
local LENGTH = 3 -- seconds of a measurement

-- Ticks until is_over(). Returns how much later than asked each came, without the wait for a core, and the CPU of the worker in
-- each, in milliseconds.
local function tick(is_over)
  local late, used = {}, {}
  repeat
    local waited, now, cpu_before = thread_waited(), core.now(), thread_cpu()
    ngx.sleep(TICK)
    late[#late + 1] = (core.now() - now - TICK - (thread_waited() - waited)) * 1e3
    used[#used + 1] = (thread_cpu() - cpu_before) * 1e3
  until is_over()
  table.sort(late)
  table.sort(used)
  return late, used
end

local function percentile(sorted, part)
  return sorted[math.max(1, math.ceil(#sorted * part))]
end

--- Prints of the ticks: the 99.9th percentile and the most that they were late, the most CPU that the worker used in one, and
--- the uploads meanwhile. The images are those of the argument; none: nothing is uploaded.
function M.stall(arguments)
  local images, uploads, ends, over = {}, 0, core.now() + LENGTH, false
  for path in (arguments.images or ""):gmatch("[^,]+") do images[#images + 1] = path end
  assert(client:me()) -- the certificates are read now
  local task = images[1] and devkit4ai.spawn(function()
    repeat
      assert(client:project(clients.PROJECT):generate { images = images, prompt = "neon" })
      uploads = uploads + 1
    until core.now() > ends
    over = true
  end)
  local late, used = tick(function() return over or not task and core.now() > ends end)
  if task then task:join() end
  return ("%.3f %.3f %.3f %d"):format(percentile(late, 0.999), late[#late], used[#used], uploads)
end

--- Runs the location of this request.
function M.run()
  local ok, response = xpcall(M[ngx.var.uri:sub(2)], debug.traceback, ngx.req.get_uri_args())
  if not ok then ngx.status = 500 end
  ngx.say(response)
end

return M
