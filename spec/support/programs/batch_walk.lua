-- A random walk of a batch: its process and the sandbox are killed at random moments, the network and the server fail in all the
-- ways that the sandbox has, and all clocks move. At the end, the payments are counted in what the sandbox has on its disk. A
-- relay in front of the sandbox, and the batch's journal, note which generations it answered for: it must have each of them.
local cjson = require "cjson"
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local raw = require "spec.support.servers.raw"
local sandbox_module = require "devkit4ai.sandbox"

local M = {}

local PROGRAM = child.read "spec/support/programs/batch_run.lua"
local DAY = 86400

-- Park and Miller: the same numbers on each machine.
local function generator(seed)
  local state = seed % 2147483646 + 1
  local function random(most)
    state = state * 16807 % 2147483647
    return most and math.floor(state / 2147483647 * most) + 1 or state / 2147483647
  end
  for _ = 1, 8 do random() end -- the first numbers of similar seeds are similar
  return random
end

-- A list that does not have the newest generations yet.
local LATE_LIST = {
  operation = "list_generations", status = 200, body = '{"generations":[],"total":0}', chance = 0.9, times = 40,
}

local FAULTS = {
  { operation = "create_generation", cut = "before" }, { operation = "create_generation", cut = "during" },
  { operation = "create_generation", cut = "after" }, { operation = "create_generation", cut = "after", reset = true },
  { operation = "create_generation", status = 500 }, { operation = "create_generation", status = 500, work = true },
  { operation = "create_generation", html = true, work = true }, { operation = "create_generation", broken = true },
  { operation = "create_generation", rate_limit = 1 }, { operation = "create_generation", delay = 0.3 },
  { operation = "create_generation", fail = true }, { operation = "get_generation_status", status = 500 },
  { operation = "get_generation_status", cut = "during" }, { operation = "list_generations", status = 503 },
  { operation = "list_generations", cut = "during" }, LATE_LIST, LATE_LIST, { operation = "picture", cut = "during" },
  { operation = "picture", status = 404 }, { refuse = true }, { cut = "before", reset = true }, { cut = "after" },
}

-- The relay: passes all bytes on, and writes the ids of generations in complete responses to a file.
local RELAY = [[
local cqueues, socket, signal = require "cqueues", require "cqueues.socket", require "cqueues.signal"
signal.ignore(signal.SIGPIPE) -- a peer may close the connection at any time
local answered = assert(io.open("ANSWERED", "ab"))
answered:setvbuf "no"
local function pass() end
local function watcher()
  local text = ""
  return function(bytes)
    text = text .. bytes
    local last = 1
    for id, stop in text:gmatch '"id":"([%x-]+)","status":"pending","message":"Generation request submitted[^}]*}()' do
      answered:write(id, "\n")
      last = stop
    end
    text = text:sub(math.max(last, #text - 200))
  end
end
local function carry(from, to, see)
  for bytes in function() return from:read(-65536) end do
    see(bytes)
    if not to:write(bytes) then break end
  end
  to:shutdown "w"
end
return function(conn)
  local target = socket.connect("127.0.0.1", PORT)
  target:onerror(function(_, _, why) return why end)
  target:setmode("bn", "bn")
  cqueues.running():wrap(function() pcall(carry, target, conn.socket, watcher()) end)
  pcall(carry, conn.socket, target, pass)
end]]

local function sleep(seconds) os.execute(("sleep %.3f"):format(seconds)) end

-- Starts the sandbox, on the port that it had.
local function start_sandbox(walk)
  walk.sandbox = assert(sandbox_module.start {
    step_time = 0.02, refresh_life = 1e9, data = walk.folder .. "/data", port = walk.port,
    command = helper.killable_command(walk.folder),
  })
  walk.port = tonumber(walk.sandbox.url:match "%d+$")
end

local function restart_sandbox(walk, pause)
  helper.kill(walk.folder)
  walk.sandbox:stop()
  sleep(pause)
  start_sandbox(walk)
  walk.restarts = walk.restarts + 1
end

local function set_faults(sandbox, random)
  sandbox:clear_faults()
  for _ = 1, random(4) - 1 do
    local fault = { times = random(12), chance = 0.2, seed = random(1000000) }
    for name, value in pairs(FAULTS[random(#FAULTS)]) do fault[name] = value end
    assert(sandbox:fault(fault))
  end
end

-- The moments at which the sandbox is killed in a run: seconds after the one before, and how long it is away.
local function deaths_of(walk, random)
  local deaths = {}
  for i = 1, random(3) - 1 do
    deaths[i] = { after = random() * walk.life, pause = random(2) == 1 and 0 or random() * 0.5 }
  end
  return deaths
end

-- One run; gives its summary, or nil if it was killed. plan: seconds until it is killed, clock, url, deaths, and what to do when
-- the sandbox is there again.
local function run(walk, plan)
  walk.client.base_url = plan.url
  local options = cjson.encode {
    client = walk.client, jobs = walk.jobs, image = walk.image, out = walk.out, clock = plan.clock,
  }
  local finish = child.start(PROGRAM, {
    args = { options }, -- the inner shell says "Killed" on the standard error of the child
    wrap = plan.seconds and ("sh -c 'timeout -s KILL %.3f \"$@\"; exit $?' sh"):format(plan.seconds) or nil,
  })
  for _, death in ipairs(plan.deaths) do
    sleep(death.after)
    restart_sandbox(walk, death.pause)
    plan.again()
  end
  local ended = finish()
  if ended.code == 137 or ended.code == 124 then return nil end -- 124: a busy machine; child.lua has ended it
  if ended.code ~= 0 then error(("the run ended with %d: %s"):format(ended.code, ended.err), 0) end
  return cjson.decode(ended.out)
end

-- Runs with faults and kills, then without, until nothing is left.
local function run_all(walk, random)
  local runs, kills, summary = 0, 0, nil
  local function note(result)
    runs, summary = runs + 1, result
    if not result then kills = kills + 1 end
  end
  local function fail() set_faults(walk.sandbox, random) end
  while runs < walk.rounds and not (summary and summary.left == 0) do
    fail()
    if random(5) == 1 then walk.sandbox:clock { advance = random() * 3 * DAY } end
    note(run(walk, {
      seconds = random(12) > 1 and 0.25 + random() * walk.life or nil, clock = math.floor((random() - 0.5) * 60 * DAY),
      url = random(2) == 1 and walk.relay.url or walk.sandbox.url, deaths = deaths_of(walk, random), again = fail,
    }))
  end
  walk.sandbox:clear_faults()
  for _ = 1, 10 do
    if summary and summary.left == 0 then break end
    note(run(walk, { clock = 0, url = walk.relay.url, deaths = {} }))
  end
  return summary, runs, kills
end

-- ---- the count ----

-- The number of payments of each job, and whether its generation failed at the server.
local function payments_by_job(generations)
  local payments, failures = {}, {}
  for _, generation in ipairs(generations) do
    local number = generation.instructions:match '"job":"%x+/(%d+)%.png"'
    payments[number] = (payments[number] or 0) + 1
    failures[number] = generation.status == "failed"
  end
  return payments, failures
end

-- The generations that the sandbox answered for with a success, and does not have.
local function lost_generations(walk, generations)
  local exists, lost, answered = {}, {}, 0
  for _, generation in ipairs(generations) do exists[generation.id] = true end
  local function look(file, pattern)
    for id in child.read(file):gmatch(pattern) do
      answered = answered + 1
      if not exists[id] then lost[#lost + 1] = ("generation %s is lost: it is in %s"):format(id, file) end
    end
  end
  look(walk.folder .. "/answered", "[^\n]+")
  local relayed = answered
  look(walk.out .. "/journal.jsonl", '"step":"accepted","id":"([%x-]+)"')
  return lost, relayed
end

local function names_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item.name:match "%d+"] = true end
  return set
end

-- How many jobs there are of each kind. A job is right if it has one payment and one file; or one payment, and failed at the
-- server; or if it is in the list of undecided jobs, with at most one payment.
local function count(walk, summary)
  restart_sandbox(walk, 0)
  local generations = assert(walk.sandbox:generations())
  local payments, failures = payments_by_job(generations)
  local undecided = names_of(summary.undecided)
  local wrong, answered = lost_generations(walk, generations)
  local result = {
    saved = 0, failed = 0, undecided = 0, undecided_paid = 0, wrong = wrong, payments = #generations,
    answered = answered, restarts = walk.restarts,
  }
  local files = {}
  for _, name in ipairs(child.list(walk.out)) do files[name] = true end
  for i = 1, walk.jobs do
    local number, paid = tostring(i), payments[tostring(i)] or 0
    local has_file = files[number .. ".png"] or false
    if undecided[number] and paid <= 1 and not has_file then
      result.undecided, result.undecided_paid = result.undecided + 1, result.undecided_paid + paid
    elseif paid == 1 and has_file then result.saved = result.saved + 1
    elseif paid == 1 and failures[number] and not undecided[number] then result.failed = result.failed + 1
    else
      result.wrong[#result.wrong + 1] = ("job %d: %d payments, %s"):format(i, paid, has_file and "a file" or "no file")
    end
  end
  if result.failed ~= summary.failed then
    result.wrong[#result.wrong + 1] = ("%d jobs have no file, and %d failed"):format(result.failed, summary.failed)
  end
  return result
end

---@param options { seed: integer, jobs: integer, life: number, rounds: integer } life: most seconds until a kill; rounds: most runs with faults
---@return table result runs, kills, restarts (of the sandbox), payments, answered (payments that the relay saw), saved,
---  failed, undecided, undecided_paid, wrong: a list of texts
function M.run(options)
  local folder = child.folder()
  local walk = {
    jobs = options.jobs, life = options.life, rounds = options.rounds, image = "examples/images/neon.png",
    folder = folder, out = folder .. "/out", restarts = 0,
  }
  assert(os.execute(("mkdir %s/out"):format(folder)))
  start_sandbox(walk)
  walk.client = assert(walk.sandbox:developer { email = "walk@example.com", password = "SecurePass123" })
  walk.relay = raw.start { script = RELAY:gsub("ANSWERED", folder .. "/answered"):gsub("PORT", tostring(walk.port)) }
  local ok, result = pcall(function()
    local summary, runs, kills = run_all(walk, generator(options.seed))
    assert(summary and summary.left == 0, "jobs are left: " .. cjson.encode(summary or {}))
    local counted = count(walk, summary)
    counted.runs, counted.kills = runs, kills
    return counted
  end)
  walk.relay:stop()
  walk.sandbox:stop()
  child.remove(folder)
  if not ok then error(result, 0) end
  return result
end

return M
