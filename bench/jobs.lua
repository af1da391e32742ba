-- Reads a CSV file of jobs and checks them: prints microseconds of CPU a job, and the peak of memory in KiB above the start.
--   jobs.lua WAY COUNT    WAY: "read", "done" (all jobs are done already), "check" (all use one image)
local way, count = arg[1], tonumber(arg[2])
local jobs_of = require "devkit4ai.batch.jobs"
local measure = dofile((arg[0]:match("^.*/") or "./") .. "measure.lua")

local path, image = os.tmpname(), (arg[0]:match("^.*/") or "./") .. "../examples/images/neon.png"
local file = assert(io.open(path, "w"))
file:write("city,style,image,prompt\n")
for i = 1, count do file:write(("City %d,neon,%s,a view of City %d at night\n"):format(i, image, i)) end
file:close()

local jobs = assert(jobs_of.open(path, { name = "{row.city}.png" }))

local function is_done()
  return way == "done"
end

local function run()
  if way ~= "read" then return assert(jobs:check { is_done = is_done }).total end
  local total = 0
  for _ in jobs:each() do total = total + 1 end
  return total
end

local before = measure.memory "VmRSS"
measure.cpu(count, function() assert(run() == count) end)
print(measure.memory "VmHWM" - before)
os.remove(path)
