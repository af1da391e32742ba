-- A model of a queue: real workers (claims, leases, scripts, ledger, steps), on a clock of its own and against a server and a
-- Redis in memory; only the pace is not theirs. Each kind of fault happens with the same probability at each place where it can. A run counts at the
-- server how often each job was paid for, and what became of each job.
--
-- run.lua JOBS WORKERS FAULTS SEED: FAULTS is a probability, such as 0.01. Ends with 1 if a job was paid for twice, or lost.
local core = require "devkit4ai.core"
local fake_redis = require "spec.devkit4ai.batch.queue.model.fake_redis"

local LEASE, MOST_DELIVERIES, AT_ONCE = 60, 5, 4
local ROUND = 10000 -- jobs of one queue: more jobs are more rounds, so that memory stays flat

local M = {}

-- ---- random numbers: the same for a seed on all Luas ----

local state

local function random()
  state = (state * 16807) % 2147483647
  return state / 2147483647
end

-- ---- the clock: coroutines that sleep ----

local now, heap, size, order

local function before(a, b)
  return a.time < b.time or a.time == b.time and a.order < b.order
end

local function push(time, fn)
  size, order = size + 1, order + 1
  local item, i = { time = time, fn = fn, order = order }, size
  while i > 1 and before(item, heap[math.floor(i / 2)]) do
    heap[i] = heap[math.floor(i / 2)]
    i = math.floor(i / 2)
  end
  heap[i] = item
end

local function pop()
  local top, last = heap[1], heap[size]
  heap[size], size = nil, size - 1
  if size == 0 then return top end
  local i = 1
  while true do
    local child = 2 * i
    if child > size then break end
    if child < size and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], last) then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = last
  return top
end

-- Whether the process of the current task lives. One that was killed is never resumed.
local current

local function sleep(seconds)
  local process = current
  local task = coroutine.running()
  push(now + seconds, function()
    if process.dead then return end
    current = process
    assert(coroutine.resume(task))
  end)
  coroutine.yield()
  return true
end

local function spawn(process, fn)
  push(now, function()
    if process.dead then return end
    current = process
    assert(coroutine.resume(coroutine.create(fn)))
  end)
end

-- ---- tasks ----

-- Where a coroutine waits until another one wakes it.
local function wait_for(slot)
  slot.process, slot.task = current, coroutine.running()
  coroutine.yield()
  return true
end

local function wake(slot)
  local process, task = slot.process, slot.task
  slot.task = nil
  if not task then return end
  push(now, function()
    if process.dead then return end
    current = process
    assert(coroutine.resume(task))
  end)
end

local function start_task(fn)
  local task = {}
  spawn(current, function()
    fn()
    task._on_end()
  end)
  return task
end

-- ---- faults ----

local faults, counted

local function note(kind)
  counted[kind] = (counted[kind] or 0) + 1
end

local function happens(kind)
  if random() >= faults then return false end
  note(kind)
  return true
end

-- A place where a process can be killed, or stand still for longer than its lease.
local function danger()
  if happens "a worker is killed" then
    current.dead = true
    current.on_death()
    coroutine.yield()
  end
  if happens "a worker stands still for longer than its lease" then sleep(LEASE * (1 + random())) end
  sleep(random() * 0.2)
end

-- ---- the server ----

local server

local function create(job)
  local gen = { id = ("g%d"):format(#server.list + 1), job = job.name, marker = job.marker, created = now,
    fails = happens "a generation fails", listed = now + (happens "a generation is listed late" and 25 or 0) }
  server.list[#server.list + 1], server.by_id[gen.id] = gen, gen
  server.paid[job.name] = (server.paid[job.name] or 0) + 1
  server.by_marker[job.marker] = gen
  return gen
end

-- ---- the modules that reach outside, replaced ----

local function failure(kind, outcome)
  local retryable = outcome ~= "unknown"
  return nil, kind, { kind = kind, outcome = outcome, message = kind, retryable = retryable, retry_after = 1 }
end

local Gen = {}
Gen.__index = Gen

function Gen:wait()
  danger()
  sleep(20 + random() * 20)
  if happens "the network fails while a worker waits" then return failure("network", "refused") end
  danger()
  if server.by_id[self.id].fails then return failure("failed", "refused") end
  return self
end

local store, connection

local PACE = {
  begin = function() return true end, accepted = function() end, finish = function() end, lost = function() end,
  refused = function() return "wait" end, stop = function() end, keep = function() end,
}

local REPLACED = {
  ["devkit4ai.loop.waits"] = {
    sleep = sleep, now = function() return now end, wait_for = wait_for, wake = wake,
    protect = function(_, fn) fn() end,
  },
  ["devkit4ai.loop.task"] = { start = start_task, raised = function() end },
  ["devkit4ai.batch.queue.redis"] = { open = function() return connection(store) end },
  ["devkit4ai.batch.queue.server_check"] = {
    check = function() return true end, loss = function() end, process = function() return "model" end,
  },
  ["devkit4ai.batch.queue.shared_pace"] = { new = function() return PACE end },
  ["devkit4ai.auth.session"] = { load_missing = function() end },
  ["devkit4ai.core"] = setmetatable({ digest_file = function() return "d" end, random = random }, { __index = core }),
  ["devkit4ai.resources.generation"] = { new = function(_, id) return setmetatable({ id = id }, Gen) end },
  ["devkit4ai.generation.create"] = {
    run_once = function(_, _, options)
      danger()
      local job = { name = options.images[1], marker = options.instructions }
      if happens "a request is lost" then return failure("network", "unknown") end
      if happens "the server answers 429" then return failure("rate_limited", "refused") end
      if happens "the server refuses a request" then return failure("server", "refused") end
      sleep(random())
      local gen = create(job)
      danger()
      if happens "an answer is lost" then return failure("network", "unknown") end
      return setmetatable({ id = gen.id }, Gen)
    end,
  },
  ["devkit4ai.request.time.server_clock"] = { at = function() return now, true end },
  ["devkit4ai.generation.find"] = {
    find_lost = function(_, _, options, is_taken)
      danger()
      if happens "a search fails" then return failure("network", "refused") end
      local gen = server.by_marker[options.instructions]
      if gen and gen.listed <= now and not is_taken(gen.id) then return { id = gen.id } end
      return failure("not_found", "refused")
    end,
  },
  ["devkit4ai.batch.run.save"] = {
    path_of = function(_, job) return job.name end,
    is_taken = function(_, job) return server.files[job.name] ~= nil end,
    run = function(_, job, gen)
      danger()
      if happens "a file can't be written" then return failure("failed", "refused") end
      if server.files[job.name] then note "a job is saved twice" end
      server.files[job.name] = gen.id -- renamed into its place, so a second save replaces it
      danger()
      return 4
    end,
  },
}

local saved_modules = {}

local function replace_modules()
  for name in pairs(package.loaded) do
    if name:find "^devkit4ai%.batch" then saved_modules[name], package.loaded[name] = package.loaded[name], nil end
  end
  for name, module in pairs(REPLACED) do
    saved_modules[name] = saved_modules[name] or package.loaded[name]
    package.loaded[name] = module
  end
end

local function restore_modules()
  for name in pairs(package.loaded) do
    if name:find "^devkit4ai%.batch" then package.loaded[name] = nil end
  end
  for name in pairs(REPLACED) do package.loaded[name] = nil end
  for name, module in pairs(saved_modules) do package.loaded[name] = module end
  saved_modules = {}
end

-- ---- Redis behind a network ----

-- The connection of a worker: a command, or its answer, may be lost, and then it is sent again, as redis.lua does. A command
-- of the lost connection may reach Redis later than those of the next one.
function connection()
  local redis = { shown = "model", on_connect = function() end, close = function() end }
  local function send(run)
    danger()
    if happens "a command to Redis is lost" then sleep(5) end
    if happens "a command to Redis arrives late" then
      push(now + 30 * random(), run)
      sleep(5)
    end
    local answer = run()
    danger()
    if not happens "an answer of Redis is lost" then return answer end
    sleep(5)
    return run()
  end
  function redis:script(text, ...) -- luacheck: ignore 212
    local arguments, count = { ... }, select("#", ...)
    return send(function() return store:script(text, (table.unpack or unpack)(arguments, 1, count)) end) -- luacheck: ignore 113
  end
  function redis:command(...) -- luacheck: ignore 212
    local arguments = { ... }
    return send(function()
      return store:call((table.unpack or unpack)(arguments)) or nil -- luacheck: ignore 113
    end)
  end
  return redis
end

-- ---- the workers ----

local function start_worker(work)
  local process = {}
  function process.on_death() push(now + 5, function() start_worker(work) end) end
  spawn(process, function()
    local project = { id = "p" }
    local client = { base_url = "model", role = "developer", project = function() return project end }
    assert(work.run(client, { queue = "model", out = "out", lease = LEASE, deliveries = MOST_DELIVERIES,
      concurrency = AT_ONCE, project = project }))
  end)
end

-- ---- a run ----

local function new_round(count)
  now, heap, size, order = 1e9, {}, 0, 0
  server = { list = {}, by_id = {}, by_marker = {}, paid = {}, files = {} }
  store = fake_redis.new(function() return now end)
  local plain = { shown = "model" }
  function plain:script(...) return store:script(...) end -- luacheck: ignore 212
  function plain:command(...) return store:call(...) end -- luacheck: ignore 212
  function plain:on_connect() end -- luacheck: ignore 212
  local queue = assert(require("devkit4ai.batch.queue").on(plain, "batch"):create {})
  local jobs = {}
  for i = 1, count do
    local name = ("%d.png"):format(i)
    jobs[i] = { name = name, number = i, images = { name }, instructions = "a", digest = "d" }
  end
  assert(queue:add(jobs) == count)
  return queue, jobs
end

local function judge(queue, jobs, totals)
  for _, job in ipairs(jobs) do
    local step = store:call("HGET", queue.prefix .. ":job:" .. job.name, "step")
    local paid = server.paid[job.name] or 0
    totals.steps[step] = (totals.steps[step] or 0) + 1
    if paid > 1 then totals.twice = totals.twice + 1 end
    local listed = store:call("HGET", queue.prefix .. ":job:" .. job.name, "dead")
    local is_fine = step == "saved" and paid == 1 and server.files[job.name] ~= nil and not listed
      or step ~= "saved" and listed and listed ~= ""
    if not is_fine then totals.lost = totals.lost + 1 end
  end
end

--- Runs the model.
---@return { twice: integer, lost: integer, steps: table<string, integer>, faults: table<string, integer> }
function M.run(jobs, workers, probability, seed)
  state, faults, counted = seed * 7919 % 2147483646 + 1, probability, {}
  replace_modules()
  local totals = { twice = 0, lost = 0, steps = {}, faults = counted }
  for first = 1, jobs, ROUND do
    local queue, list = new_round(math.min(ROUND, jobs - first + 1))
    local work = require "devkit4ai.batch.queue.work"
    for _ = 1, workers do start_worker(work) end
    while size > 0 do
      local item = pop()
      now = item.time
      item.fn()
    end
    judge(queue, list, totals)
  end
  restore_modules()
  return totals
end

local function print_counts(title, counts)
  local names = {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do print(("%s  %-50s %9d"):format(title, name, counts[name])) end
end

if arg and arg[0] and arg[0]:find "model/run%.lua$" then
  local jobs, workers, probability, seed = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])
  local totals = M.run(jobs, workers, probability, seed)
  print_counts("fault", totals.faults)
  print_counts("jobs ", totals.steps)
  print(("%d jobs, %d workers, faults %g, seed %d: %d paid twice, %d lost"):format(jobs, workers, probability, seed,
    totals.twice, totals.lost))
  os.exit(totals.twice + totals.lost == 0 and 0 or 1)
end

return M
