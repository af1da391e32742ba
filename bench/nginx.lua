--- Benchmark of nginx with one worker, on the locations of bench/nginx_worker.lua.
---
---     nginx.lua requests BASE HEAD LOCATION CONNECTIONS SECONDS PIN   CPU of the worker for a request: microseconds
---     nginx.lua memory BASE HEAD LOCATION CONNECTIONS SECONDS PIN     requests, KiB resident after a tenth of them, and at the end
---     nginx.lua waiting BASE HEAD LOCATION COUNT SECONDS PIN          CPU of clients that wait, in percent of a core; KiB of each:
---                                                                     resident, and of Lua's heap
---     nginx.lua location BASE ROOTS QUERY                             what one request of the location returns
---
--- BASE is the server's URL; HEAD a file with the client's request, for the peer; PIN a prefix of wrk's command line; ROOTS a CA
--- file, or "-". CPU is that of all threads of the worker.
local here = arg[0]:match("^(.*)/") or "."
local quote = function(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
local core = require "devkit4ai.core"

local CONF = [[
daemon on;
worker_processes 1;
worker_rlimit_nofile 16384;
USER
pid FOLDER/pid;
error_log FOLDER/error.log warn;
MODULES
env BENCH_URL; env BENCH_HEAD; env BENCH_ROOTS; env TMPDIR;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  lua_package_path "HERE/?.lua;PATH"; lua_package_cpath "CPATH";
  server {
    listen 127.0.0.1:PORT backlog=4096;
    location / { content_by_lua_block { require("nginx_worker").run() } }
  }
}
]]

local function output(line)
  local pipe = assert(io.popen(line))
  local printed = pipe:read("*a")
  pipe:close()
  return (printed:gsub("%s+$", ""))
end

local function read(path)
  local file = io.open(path)
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

local function modules()
  local lines = ""
  for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
    local path = ("/usr/lib/nginx/modules/%s.so"):format(name)
    if read(path) then lines = lines .. ("load_module %s;\n"):format(path) end -- else it is inside of nginx
  end
  return lines
end

local function wait_for(what, fn)
  for _ = 1, 600 do
    local value = fn()
    if value then return value end
    os.execute("sleep 0.1")
  end
  error("this did not happen: " .. what)
end

-- Starts nginx in the folder. Returns the URL and the worker's process.
local function start(folder)
  local port = output(quote(here .. "/../build/bench/server") .. " </dev/null") -- a port that is free again
  local conf = CONF:gsub("%f[%u]%u%u%u%u+%f[%U]", { FOLDER = folder, MODULES = modules(), PORT = port, HERE = here,
    PATH = package.path, CPATH = package.cpath, USER = output("id -u") == "0" and "user root;" or "" })
  local file = assert(io.open(folder .. "/nginx.conf", "w"))
  file:write(conf)
  file:close()
  local line = "env TMPDIR=%s BENCH_URL=%s BENCH_HEAD=%s BENCH_ROOTS=%s nginx -p %s -c %s/nginx.conf"
  assert(os.execute(line:format(folder, quote(arg[2]), quote(arg[3]), quote(arg[3]), folder, folder)) == 0, "no nginx")
  local master = wait_for("nginx starts", function() return tonumber(read(folder .. "/pid") or "") end)
  local children = ("/proc/%d/task/%d/children"):format(master, master)
  return "http://127.0.0.1:" .. port, wait_for("a worker", function() return (read(children) or ""):match("%d+") end)
end

-- CPU of all threads of the worker so far, in microseconds.
local function cpu(pid)
  local sum = 0
  local stat = output(("cat /proc/%s/task/*/schedstat"):format(pid))
  for line in stat:gmatch("(%d+) %d+ %d+") do sum = sum + line end
  return sum / 1e3
end

local function resident(pid)
  return tonumber(read(("/proc/%s/status"):format(pid)):match("VmRSS:%s*(%d+)"))
end

-- Loads the location for so many seconds. Returns the number of responses.
local function load(url, seconds)
  local report = output(("%swrk -t1 -c%s -d%gs --timeout 60s %s/%s"):format(arg[7], arg[5], seconds, url, arg[4]))
  if report:find("Non-2xx", 1, true) or report:find("Socket errors", 1, true) then error(report) end
  return tonumber(report:match("(%d+) requests in"))
end

local modes = {}

function modes.requests(url, pid)
  load(url, 1)
  local before = cpu(pid)
  local count = load(url, tonumber(arg[6]))
  print(("%.2f"):format((cpu(pid) - before) / count))
end

function modes.memory(url, pid)
  local seconds = tonumber(arg[6])
  local count = load(url, seconds / 10)
  local before = resident(pid)
  count = count + load(url, seconds)
  print(count, before, resident(pid))
end

local function state(url)
  local waiting, heap = output(("curl -s %s/state"):format(url)):match("(%d+) ([%d.]+)")
  return tonumber(waiting), tonumber(heap)
end

function modes.waiting(url, pid)
  local count = tonumber(arg[5])
  output(("%swrk -t1 -c64 -d1s %s/api"):format(arg[7], url)) -- what a worker that serves has anyway
  local _, heap_before = state(url)
  local before = resident(pid)
  local line = "%swrk -t1 -c%d -d600s --timeout 600s %s/%s >/dev/null 2>&1 & echo $!"
  local wrk = output(line:format(arg[7], count, url, quote(arg[4])))
  wait_for("all clients wait", function() return state(url) == count end)
  os.execute("sleep 22") -- all have come, and have polled once
  local start_cpu, start_time = cpu(pid), core.now()
  os.execute("sleep " .. arg[6])
  local percent = (cpu(pid) - start_cpu) / 1e6 / (core.now() - start_time) * 100
  local _, heap = state(url)
  print(("%.3f %.2f %.2f"):format(percent, (resident(pid) - before) / count, (heap - heap_before) / count))
  output("kill " .. wrk)
end

function modes.location(url)
  print(output(("curl -s --fail-with-body %s/%s"):format(url, quote(arg[4]))))
end

local folder = output("mktemp -d")
local ok, why = xpcall(function() modes[arg[1]](start(folder)) end, debug.traceback)
local master = read(folder .. "/pid")
if master then
  output("kill -TERM " .. master)
  wait_for("nginx ends", function() return not read(folder .. "/pid") end)
end
if not ok then why = why .. "\n" .. (read(folder .. "/error.log") or "") end
output("rm -rf " .. quote(folder))
if not ok then error(why, 0) end
