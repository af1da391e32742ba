-- A random walk of a batch: its process is killed at random moments, the network and the server fail in all the ways that the
-- sandbox has, and all clocks move. At the end, the payments are counted at the server.
local cjson = require "cjson"
local child = require "spec.support.process.child"
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

local function set_faults(sandbox, random)
  sandbox:clear_faults()
  for _ = 1, random(4) - 1 do
    local fault = { times = random(12), chance = 0.2, seed = random(1000000) }
    for name, value in pairs(FAULTS[random(#FAULTS)]) do fault[name] = value end
    assert(sandbox:fault(fault))
  end
end

-- One run; gives its summary, or nil if it was killed.
local function run(walk, seconds, clock)
  local options = cjson.encode {
    client = walk.client, jobs = walk.jobs, image = walk.image, out = walk.out, clock = clock,
  }
  local ended = child.start(PROGRAM, {
    args = { options }, -- the inner shell says "Killed" on the standard error of the child
    wrap = seconds and ("sh -c 'timeout -s KILL %.3f \"$@\"; exit $?' sh"):format(seconds) or nil,
  })()
  if ended.code == 137 then return nil end
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
  while runs < walk.rounds and not (summary and summary.left == 0) do
    set_faults(walk.sandbox, random)
    if random(5) == 1 then walk.sandbox:clock { advance = random() * 3 * DAY } end
    note(run(walk, random(12) > 1 and 0.25 + random() * walk.life or nil, math.floor((random() - 0.5) * 60 * DAY)))
  end
  walk.sandbox:clear_faults()
  for _ = 1, 3 do
    if summary and summary.left == 0 then break end
    note(run(walk, nil, 0))
  end
  return summary, runs, kills
end

-- ---- the count ----

local function payments_by_job(sandbox)
  local payments = {}
  for _, generation in ipairs(assert(sandbox:generations())) do
    local number = generation.instructions:match '"job":"%x+/(%d+)%.png"'
    payments[number] = (payments[number] or 0) + 1
  end
  return payments
end

local function names_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item.name:match "%d+"] = true end
  return set
end

-- How many jobs there are of each kind. A job is right if it has one payment and one file; or one payment, and failed at the
-- server; or if it is in the list of undecided jobs, with at most one payment.
local function count(walk, summary)
  local payments, undecided = payments_by_job(walk.sandbox), names_of(summary.undecided)
  local result = { saved = 0, failed = 0, undecided = 0, undecided_paid = 0, wrong = {} }
  local files = {}
  for _, name in ipairs(child.list(walk.out)) do files[name] = true end
  for i = 1, walk.jobs do
    local number, paid = tostring(i), payments[tostring(i)] or 0
    local has_file = files[number .. ".png"] or false
    if undecided[number] and paid <= 1 and not has_file then
      result.undecided, result.undecided_paid = result.undecided + 1, result.undecided_paid + paid
    elseif paid == 1 and has_file then result.saved = result.saved + 1
    elseif paid == 1 and not undecided[number] then result.failed = result.failed + 1
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
---@return table result runs, kills, saved, failed, undecided, undecided_paid, wrong: a list of texts
function M.run(options)
  local sandbox = assert(sandbox_module.start { step_time = 0.02, refresh_life = 1e9 })
  local folder = child.folder()
  local client = assert(sandbox:developer { email = "walk@example.com", password = "SecurePass123" })
  local walk = {
    sandbox = sandbox, client = client, jobs = options.jobs, life = options.life, rounds = options.rounds,
    image = "examples/images/neon.png", out = folder,
  }
  local ok, result = pcall(function()
    local summary, runs, kills = run_all(walk, generator(options.seed))
    assert(summary and summary.left == 0, "jobs are left: " .. cjson.encode(summary or {}))
    local counted = count(walk, summary)
    counted.runs, counted.kills = runs, kills
    return counted
  end)
  sandbox:stop()
  child.remove(folder)
  if not ok then error(result, 0) end
  return result
end

return M
