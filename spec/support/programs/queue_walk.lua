-- A random walk of a queue: workers whose clocks are wrong, a Redis and a sandbox with faults. At random moments a worker is killed,
-- stands still for longer than its lease, or its network carries nothing, or nothing in one direction; or Redis is killed, stands
-- still, or has no memory. At the end the sandbox says how often each job was paid for.
--
-- queue_walk.lua JOBS WORKERS SEED: ends with 1 if a job was paid for twice, or has neither a file nor a dead letter. Where
-- it runs as the only program of a network namespace (unshare -rn), each worker has a link of its own to Redis.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local json = require "devkit4ai.util.json"
local queues = require "devkit4ai.batch.queue"
local redis_servers = require "spec.support.servers.redis"

local M = {}

local unpack = table.unpack or unpack -- luacheck: ignore 113

local LEASE = 4 -- seconds
local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"
local SOON = { ["Retry-After"] = "0.05" }

local FAULTS = {
  { operation = "create_generation", cut = "before", chance = 0.02 },
  { operation = "create_generation", cut = "during", chance = 0.02 },
  { operation = "create_generation", cut = "after", reset = true, chance = 0.02 },
  { operation = "create_generation", status = 503, headers = SOON, chance = 0.02 },
  { operation = "create_generation", status = 500, work = true, chance = 0.02 },
  { operation = "create_generation", status = 429, headers = SOON, detail = "Rate limit exceeded", chance = 0.005 },
  { operation = "create_generation", fail = "too dark", chance = 0.01 },
  { operation = "get_generation_status", cut = "before", reset = true, chance = 0.02 },
  { operation = "get_generation_status", status = 503, chance = 0.02 },
  { operation = "list_generations", status = 502, html = true, chance = 0.05 },
}

-- A worker: ends when all jobs are done. The pauses of polls and searches are short, as the sandbox is fast.
local WORKER = [[
local url, developer_key, project_id, project_key, queue, out, lease = ...
local devkit4ai = require "spec.support.calls.no_retry_pauses"
require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.2 end
require("devkit4ai.generation.pacing.request_pacing").reserve = function(_, now) return now end
require("devkit4ai.batch.queue.shared_pace").GROW_AFTER = 1
local client = assert(devkit4ai.new { base_url = url, developer_key = developer_key })
repeat until client:login("dev@example.com", "SecurePass123")
local project = client:project(project_id)
project:use_key(project_key)
local summary, message = client:work_batch {
  queue = queue, out = out, project = project, lease = tonumber(lease), concurrency = 8,
  on_event = function(event)
    if event.reason then io.stderr:write(event.type, " ", event.job or "", " ", event.reason, "\n") end
  end,
}
io.stdout:write(summary and "done" or message)
]]

local function shell(command)
  local result = os.execute(command)
  return result == true or result == 0
end

local function sleep(seconds) shell(("sleep %.2f"):format(seconds)) end

-- ---- the network: a namespace for Redis, and a link from each worker to it ----

local Network = {}
Network.__index = Network

-- nil: this program may not change its network, or shares it with others.
local function new_network(workers)
  local pipe = io.popen "ip -o link show up 2>/dev/null | grep -cv ' lo:'; ip link set lo up 2>/dev/null; echo $?"
  local links, status = pipe:read "*l", pipe:read "*l"
  pipe:close()
  if links ~= "0" or status ~= "0" then return nil end
  pipe = io.popen "unshare -n sleep 100000 >/dev/null 2>&1 & echo $!"
  local network = setmetatable({ pid = pipe:read "*l" }, Network)
  pipe:close()
  local form = "while [ \"$(readlink /proc/%s/ns/net)\" = \"$(readlink /proc/self/ns/net)\" ]; do sleep 0.02; done"
  assert(shell(form:format(network.pid)))
  for i = 1, workers do
    assert(shell(([[ip link add w%d type veth peer name r%d netns %s && ip addr add 10.77.%d.1/24 dev w%d &&
      ip link set w%d up && nsenter -t %s -n sh -c 'ip addr add 10.77.%d.2/24 dev r%d && ip link set r%d up']]):format(
      i, i, network.pid, i, i, i, network.pid, i, i, i)))
  end
  return network
end

function Network:redis()
  return { "port 6379", "bind 0.0.0.0", "protected-mode no" }, { before = ("nsenter -t %s -n"):format(self.pid) }
end

function Network:url(i) return ("redis://10.77.%d.2:6379"):format(i) end -- luacheck: ignore 212

-- direction: "both", "to Redis", "from Redis"
function Network:cut(i, direction, is_cut)
  local word = is_cut and "add" or "del"
  if direction == "both" then shell(("ip link set w%d %s"):format(i, is_cut and "down" or "up"))
  elseif direction == "to Redis" then shell(("ip route %s blackhole 10.77.%d.2/32"):format(word, i))
  else shell(("nsenter -t %s -n ip route %s blackhole 10.77.%d.1/32"):format(self.pid, word, i)) end
end

-- ---- workers ----

local YEAR = 365 * 86400

local function start_worker(walk, i)
  walk.started = walk.started + 1
  local base = ("%s/worker%d"):format(walk.folder, walk.started)
  local arguments = {}
  for j, text in ipairs { walk.box.url, walk.developer.developer_key, walk.developer.project_id,
    walk.developer.project_key, walk.network and walk.network:url(i) or walk.redis.url, walk.out, tostring(LEASE) } do
    arguments[j] = "'" .. text .. "'"
  end
  local clock = os.time() + (walk.random(2001) - 1001) / 1000 * YEAR
  local form = "OTHER_CLOCK=%.0f LD_PRELOAD=%s %s %s/worker.lua %s >%s.out 2>%s.err </dev/null & echo $! >%s.pid"
  assert(shell(form:format(clock, child.preload "other_clock", child.interpreter(), walk.folder,
    table.concat(arguments, " "), base, base, base)))
  return { pid = child.read(base .. ".pid"):match "%d+", base = base }
end

local function is_alive(worker)
  return shell(("kill -0 %s 2>/dev/null && ! grep -q '^State:.Z' /proc/%s/status"):format(worker.pid, worker.pid))
end

local function signal(name, pid) return shell(("kill -%s %s 2>/dev/null"):format(name, pid)) end

-- ---- what happens at random moments ----

local EVENTS = {
  { "a worker is killed", 4, function(walk, i)
    signal("KILL", walk.workers[i].pid)
    walk.workers[i] = start_worker(walk, i)
  end },
  { "a worker stands still for longer than its lease", 2, function(walk, i)
    signal("STOP", walk.workers[i].pid)
    sleep(LEASE * 1.5)
    signal("CONT", walk.workers[i].pid)
  end },
  { "a worker is cut off", 2, function(walk, i)
    if not walk.network then return false end
    local direction = ({ "both", "to Redis", "from Redis" })[walk.random(3)]
    walk.network:cut(i, direction, true)
    sleep(walk.random(100) / 10)
    walk.network:cut(i, direction, false)
  end },
  { "Redis is killed", 1, function(walk)
    walk.redis:kill()
    sleep(walk.random(10) / 10)
    walk.redis:run()
  end },
  { "Redis stands still", 1, function(walk)
    signal("STOP", walk.redis.pid)
    sleep(walk.random(70) / 10)
    signal("CONT", walk.redis.pid)
  end },
  { "Redis has no memory", 1, function(walk)
    walk.redis:cli "config set maxmemory 1"
    sleep(walk.random(20) / 10)
    walk.redis:cli "config set maxmemory 0"
  end },
}

local function choose(walk)
  local sum = 0
  for _, event in ipairs(EVENTS) do sum = sum + event[2] end
  local left = walk.random(sum)
  for _, event in ipairs(EVENTS) do
    left = left - event[2]
    if left <= 0 then return event end
  end
end

-- ---- the walk ----

local function prepare(jobs, workers, seed)
  local state = seed * 7919 % 2147483646 + 1
  local walk = { folder = child.folder(), started = 0, workers = {}, happened = {}, network = new_network(workers) }
  walk.redis = redis_servers.start(unpack(walk.network and { walk.network:redis() } or {}))
  function walk.random(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end
  walk.out = walk.folder .. "/out"
  assert(shell("mkdir " .. walk.out))
  local file = assert(io.open(walk.folder .. "/worker.lua", "w"))
  file:write(WORKER)
  file:close()
  walk.image = walk.folder .. "/small.png"
  file = assert(io.open(walk.image, "wb"))
  file:write "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture" -- the sandbox draws small results for it
  file:close()
  walk.box = assert(require("devkit4ai.sandbox").start { step_time = 0.2 })
  walk.developer = walk.box:developer { email = EMAIL, password = PASSWORD }
  for i, fault in ipairs(FAULTS) do
    local set = { times = 1e9, seed = seed * 100 + i }
    for name, value in pairs(fault) do set[name] = value end
    assert(walk.box:fault(set))
  end
  local list = {}
  for i = 1, jobs do list[i] = { image = walk.image, name = i .. ".png", prompt = "a lighthouse" } end
  local client = assert(devkit4ai.new { base_url = walk.box.url })
  assert(client:push_batch { queue = walk.redis.url, jobs = list })
  walk.queue = assert(assert(queues.open(walk.redis.url)):open {})
  return walk
end

-- How often each job was paid for, by the markers in the instructions that the sandbox got.
local function payments(walk)
  local paid = {}
  for _, gen in ipairs(walk.box:generations()) do
    local instructions = type(gen.instructions) == "string" and json.decode_plain(gen.instructions) or gen.instructions
    local name = instructions.job:match "^[^/]*/(.*)$"
    paid[name] = (paid[name] or 0) + 1
  end
  return paid
end

local function judge(walk, jobs)
  local result = { twice = {}, lost = {}, saved = 0, dead = 0, undecided = 0, undecided_paid = 0, letters = {},
    happened = walk.happened }
  local paid, files, letters = payments(walk), {}, {}
  for _, name in ipairs(child.list(walk.out)) do files[name] = true end
  for _, letter in ipairs(assert(walk.queue:dead())) do
    letters[letter.name] = letter.step
    result.letters[#result.letters + 1] = ("%s: %s, %s"):format(letter.name, letter.step, letter.reason)
  end
  for i = 1, jobs do
    local name = i .. ".png"
    if (paid[name] or 0) > 1 then result.twice[#result.twice + 1] = name end
    local step = walk.queue:state(name).step
    if step == "saved" and files[name] and not letters[name] then result.saved = result.saved + 1
    elseif letters[name] and letters[name] == step then result.dead = result.dead + 1
    else result.lost[#result.lost + 1] = name .. " " .. step end
    if step == "undecided" then
      result.undecided = result.undecided + 1
      result.undecided_paid = result.undecided_paid + (paid[name] or 0)
    end
    files[name] = nil
  end
  for name in pairs(files) do
    if not name:find "^%d+%.png$" then result.lost[#result.lost + 1] = "file " .. name end
  end
  return result
end

--- Walks until all jobs are done.
---@return { twice: string[], lost: string[], saved: integer, dead: integer, undecided: integer, undecided_paid: integer, letters: string[], happened: table<string, integer> }
function M.run(jobs, workers, seed)
  local walk = prepare(jobs, workers, seed)
  for i = 1, workers do walk.workers[i] = start_worker(walk, i) end
  local function open() return (walk.queue:counts() or { open = 1 }).open end
  while open() > 0 do
    sleep(walk.random(60) / 10)
    local event = choose(walk)
    if event[3](walk, walk.random(workers)) ~= false then
      walk.happened[event[1]] = (walk.happened[event[1]] or 0) + 1
    end
    for i, worker in ipairs(walk.workers) do
      if not is_alive(worker) and open() > 0 then walk.workers[i] = start_worker(walk, i) end
    end
  end
  for _, worker in ipairs(walk.workers) do
    while is_alive(worker) do sleep(0.1) end
  end
  local result = judge(walk, jobs)
  walk.box:stop()
  if walk.network then signal("KILL", walk.network.pid) end
  redis_servers.stop_all()
  if result.twice[1] or result.lost[1] then result.folder = walk.folder else child.remove(walk.folder) end
  return result
end

if arg and arg[0] and arg[0]:find "queue_walk%.lua$" then
  local jobs, workers, seed = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
  local result = M.run(jobs, workers, seed)
  local happened = {}
  for what, count in pairs(result.happened) do happened[#happened + 1] = ("%d times %s"):format(count, what) end
  table.sort(happened)
  local form = "seed %d: %d jobs, %d workers: %d files, %d failed at the server, %d undecided (%d of them paid), "
    .. "%d paid twice, %d lost%s\n  %s"
  print(form:format(seed, jobs, workers, result.saved, result.dead - result.undecided, result.undecided,
    result.undecided_paid, #result.twice, #result.lost, result.folder and "; see " .. result.folder or "",
    table.concat(happened, ", ")))
  for _, name in ipairs(result.twice) do print("  paid twice: " .. name) end
  for _, name in ipairs(result.lost) do print("  lost: " .. name) end
  os.exit(not result.folder and 0 or 1)
end

return M
