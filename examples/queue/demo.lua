-- A batch on several machines, in small: Redis, the sandbox, and three workers as processes of their own. One worker is
-- killed on the way; the others take its jobs, and nothing is paid for twice.
--   build/run lua5.4 examples/queue/demo.lua

local JOBS, WORKERS, EMAIL, PASSWORD = 12, 3, "dev@example.com", "SecurePass123"

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("\n$", ""))
end

local folder = capture "mktemp -d"
local socket = folder .. "/redis.sock"
local queue = "unix://" .. socket
os.execute(("redis-server --port 0 --unixsocket %s --dir %s --appendonly yes --appendfsync always --save '' "
  .. "--daemonize yes --pidfile %s/redis.pid >/dev/null; "
  .. "until redis-cli -s %s ping >/dev/null 2>&1; do sleep 0.1; done"):format(socket, folder, folder, socket))
local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 1 })
local developer = assert(sandbox:developer { email = EMAIL, password = PASSWORD })

-- The environment of the commands: the queue's URL may hold a password, so it is no argument.
local environment = ("XDG_CONFIG_HOME=%s DEVKIT4AI_BASE_URL=%s DEVKIT4AI_DEVELOPER_KEY=%s DEVKIT4AI_PROJECT_ID=%s "
  .. "DEVKIT4AI_PROJECT_KEY=%s DEVKIT4AI_PASSWORD=%s DEVKIT4AI_QUEUE=%s"):format(folder, sandbox.url,
  developer.developer_key, developer.project_id, developer.project_key, PASSWORD, queue)
os.execute(("%s build/devkit4ai login --email %s"):format(environment, EMAIL))

local jobs = assert(io.open(folder .. "/jobs.csv", "w"))
jobs:write "image,city\n"
for i = 1, JOBS do jobs:write(("examples/images/neon.png,city %d\n"):format(i)) end
jobs:close()
os.execute(("%s build/devkit4ai batch push %s/jobs.csv --prompt '{row.city} at night' --name '{row.city}.png'"):format(
  environment, folder))

for i = 1, WORKERS do
  os.execute(("%s build/devkit4ai batch work --out %s/results --lease 5 --concurrency 4 >%s/worker%d.log 2>&1 & "
    .. "echo $! >%s/worker%d.pid"):format(environment, folder, folder, i, folder, i))
end
os.execute("sleep 3")
os.execute(("kill -9 $(cat %s/worker1.pid)"):format(folder))
print "worker 1 is killed; its jobs go to the others after the lease of 5 s"
local function open() return tonumber(capture(("redis-cli -s %s xlen 'devkit4ai:{batch}:jobs'"):format(socket))) end
while open() > 0 do
  print(("%d jobs are open"):format(open()))
  os.execute "sleep 3"
end

print(("%s files in %s/results"):format(capture(("ls %s/results | grep -c png"):format(folder)), folder))
print(("%d generations were paid for"):format(#sandbox:generations()))
print(capture(("redis-cli -s %s hgetall 'devkit4ai:{batch}:batch'"):format(socket)))
os.execute(("kill $(cat %s/redis.pid)"):format(folder))
sandbox:stop()

