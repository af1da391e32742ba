-- A simulated month of a program in some seconds: thousands of generations against a sandbox with random faults and a fast
-- clock. The result of each one goes into a file, so the program itself keeps nothing.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local child = require "spec.support.process.child"

require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0 end
require("devkit4ai.generation.pacing.request_pacing").reserve = function(_, now) return now end

local M = {}

local IMAGE = { data = "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture", filename = "a.png" }
local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"
local WIDTH = 16 -- concurrent generations
local DAY = 86400 -- seconds
local SOON = { ["Retry-After"] = "0.01" }

-- Faults with their percentage; each exchange tries them in this order.
local FAULTS = {
  { operation = "create_generation", cut = "before", chance = 0.01 },
  { operation = "create_generation", cut = "during", chance = 0.01 },
  { operation = "create_generation", cut = "after", reset = true, chance = 0.01 },
  { operation = "create_generation", status = 503, headers = SOON, chance = 0.01 },
  { operation = "create_generation", status = 500, work = true, chance = 0.01 },
  { operation = "create_generation", status = 429, headers = SOON, detail = "Rate limit exceeded", chance = 0.02 },
  { operation = "create_generation", html = true, chance = 0.01 },
  { operation = "create_generation", html = true, status = 200, work = true, chance = 0.01 },
  { operation = "create_generation", broken = true, chance = 0.01 },
  { operation = "create_generation", fail = "too dark", chance = 0.01 },
  { operation = "get_generation_status", cut = "before", reset = true, chance = 0.03 },
  { operation = "get_generation_status", cut = "during", chance = 0.03 },
  { operation = "get_generation_status", status = 503, chance = 0.03 },
  { operation = "get_generation_status", status = 429, headers = SOON, chance = 0.02 },
  { operation = "get_generation_status", broken = true, chance = 0.03 },
  { operation = "list_generations", status = 502, html = true, chance = 0.05 },
  { operation = "list_generations", cut = "during", chance = 0.05 },
  { operation = "refresh_token", cut = "after", chance = 0.2 },
  { operation = "refresh_token", status = 503, headers = SOON, chance = 0.2 },
  { delay = 0, chance = 0.02 },
  { refuse = true, chance = 0.01 },
}

local function set_faults(sandbox, seed)
  for i, fault in ipairs(FAULTS) do
    local set = { times = 1e9, seed = seed + i }
    for name, value in pairs(fault) do set[name] = value end
    assert(sandbox:fault(set))
  end
end

local function prompt_of(n) return ("picture %d of the month"):format(n) end

-- Logs in again after the end of a session, until it succeeds.
local function log_in(client)
  repeat until client:login(EMAIL, PASSWORD)
end

-- The result of a creation with an unknown outcome: the id of the generation, or "none".
local function find(client, n, since)
  while true do
    local gen, message, err = client:find_generation { instructions = prompt_of(n), since = since }
    if gen then return gen.id end
    if err.kind == "not_found" then return "none" end
    if err.kind == "auth" then log_in(client)
    elseif err.kind == "conflict" then error(message, 0) end
  end
end

local ENDS = { completed = true, failed = true }

-- Creates one generation, and waits for its end.
local function order(client, n, note)
  local gen, message, err = client:generate { images = { IMAGE }, prompt = prompt_of(n) }
  if not gen then
    if err.operation == "create_generation" and err.outcome == "unknown" then
      return note(n, "unknown", find(client, n, tonumber(message:match("since = (%d+) }$")))) -- time of the server
    end
    if err.kind == "auth" then log_in(client) end
    if err.outcome == "unknown" then error(message, 0) end
    return note(n, err.outcome, "none")
  end
  repeat
    local _, why, trouble = gen:wait { interval = 0.01 }
    if trouble and trouble.kind == "auth" then log_in(client)
    elseif trouble and trouble.kind ~= "failed" and trouble.kind ~= "protocol" then error(why, 0) end -- go on waiting
  until ENDS[gen.status]
  note(n, "given", gen.id)
end

local function lines_of(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local function descriptors()
  local pipe = io.popen("ls /proc/$PPID/fd | wc -l") -- includes this pipe
  local count = pipe:read("*n")
  pipe:close()
  return count
end

-- nil under the sanitizer, which keeps freed memory for a while
local function resident()
  if lines_of("/proc/self/maps"):find("libasan", 1, true) then return nil end
  return tonumber(lines_of("/proc/self/status"):match("VmRSS:%s*(%d+)"))
end

local function measure()
  for _ = 1, 3 do collectgarbage() end
  return { heap = collectgarbage("count"), descriptors = descriptors(), resident = resident() }
end

-- Compares the results with the generations of the sandbox.
local function judge(path, created)
  local at_server = {}
  local tally = { created = #created, given = 0, unknown = 0, found = 0, not_sent = 0, refused = 0, wrong = {} }
  for _, generation in ipairs(created) do
    local n = tonumber(generation.instructions:match("picture (%d+) of"))
    at_server[n] = at_server[n] and "twice" or generation.id
  end
  for n, outcome, id in lines_of(path):gmatch("(%d+) (%S+) (%S+)\n") do
    tally[outcome] = tally[outcome] + 1
    if outcome == "unknown" and id ~= "none" then tally.found = tally.found + 1 end
    if (at_server[tonumber(n)] or "none") ~= id then
      table.insert(tally.wrong, ("%s: %s, %s at the client, %s at the server"):format(n, outcome, id,
        at_server[tonumber(n)] or "none"))
    end
  end
  return tally
end

--- Runs the month.
---@param seed integer of the faults
---@param batches integer the clock moves between them, 30 days in total
---@param size integer generations per batch
---@return table { measured = { heap: KiB, descriptors, resident: KiB, if it can be told }[] after each batch; tally: of the orders, wrong ones as
---  texts; refreshes: at the sandbox; failures: texts of tasks that raised }
function M.run(seed, batches, size)
  local sandbox = assert(require("devkit4ai.sandbox").start {
    command = "devkit4ai", step_time = 0, dialect = { "seed", refresh_rotation = "rotate" },
  })
  local folder = child.folder()
  local path = folder .. "/orders"
  local file = assert(io.open(path, "w"))
  local function note(...) assert(file:write(table.concat({ ... }, " "), "\n")) end
  local client = assert(devkit4ai.new(assert(sandbox:developer { email = EMAIL, password = PASSWORD })))
  local report = { measured = {}, failures = {}, refreshes = 0 }
  if jit then jit.off() end -- luacheck: globals jit
  set_faults(sandbox, seed)
  for batch = 1, batches do
    local numbers = {}
    for i = 1, size do numbers[i] = (batch - 1) * size + i end
    local _, failures = devkit4ai.map(numbers, { concurrency = WIDTH }, function(n)
      order(client, n, note)
      return true
    end)
    for _, err in pairs(failures) do table.insert(report.failures, err.message) end
    for _, exchange in ipairs(sandbox:requests()) do
      if exchange.operation == "refresh_token" then report.refreshes = report.refreshes + 1 end
    end
    sandbox:clear_requests()
    sandbox:advance(30 * DAY / batches)
    report.measured[batch] = measure()
  end
  if jit then jit.on() end -- its traces are in the heap as well
  file:close()
  report.tally = judge(path, sandbox:generations())
  client:close()
  sandbox:stop()
  child.remove(folder)
  return report
end

return M
