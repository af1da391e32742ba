-- Continues a batch whose journal has many done jobs: prints microseconds of CPU for each of them until the first new job
-- could be sent, and the peak of memory in KiB above the start.
--   batch_resume.lua UNTIL COUNT FOLDER    UNTIL: "journal" is read, all jobs are "checked", the new job is "sending"
local last, count, folder = arg[1], tonumber(arg[2]), arg[3]
local here = arg[0]:match("^.*/") or "./"
local format = require "devkit4ai.batch.journal.format"
local jobs_of = require "devkit4ai.batch.jobs"
local journal = require "devkit4ai.batch.journal"
local measure = dofile(here .. "measure.lua")
local new_client = dofile(here .. "new_client.lua")

local BYTES = 200 * 1024
local jobs, image = ("%s/resume%d.csv"):format(folder, count), here .. "../examples/images/neon.png"
local out = ("%s/resume%d"):format(folder, count)
local NAME, PROMPT = "{row.city}.png", "a view of {row.city} at night"

local function write_jobs()
  local file = assert(io.open(jobs, "w"))
  file:write("city,style,image\n")
  for i = 1, count + 1 do file:write(("City %d,neon,%s\n"):format(i, image)) end
  file:close()
end

-- The journal of a run that ended all jobs but the last.
local function write_journal()
  local file = assert(io.open(out .. "/" .. journal.NAME, "w"))
  local link = ""
  local function add(record)
    record.time = 1800000000
    local line
    line, link = format.encode(record, link)
    file:write(line)
  end
  local function each_job()
    return assert(jobs_of.open(jobs, { name = NAME, prompt = PROMPT })):each()
  end
  add { journal = format.VERSION, batch = "0123456789ab" }
  add { run = 1, host = "bench" }
  for job in each_job() do add { job = job.name, step = "planned", digest = job.digest } end
  for job in each_job() do
    if job.number > count then break end
    add { job = job.name, step = "sending", images = job.digest, since = 1800000000 }
    add { job = job.name, step = "accepted", id = ("550e8400-e29b-41d4-a716-%012x"):format(job.number) }
    add { job = job.name, step = "completed" }
    add { job = job.name, step = "saved", bytes = BYTES }
  end
  file:close()
end

if not io.open(jobs) then
  assert(os.execute("mkdir " .. out))
  write_jobs()
  write_journal()
end

local file = assert(io.open(out .. "/" .. journal.NAME))
local bytes = file:seek "end"
file:close()

local before, start = measure.memory "VmRSS", os.clock()

-- The new job is not sent, and stays as it was for the next process.
local function finish()
  print(("%.3f %d"):format((os.clock() - start) / count * 1e6, measure.memory "VmHWM" - before))
  assert(os.execute(("truncate -s %d %s/%s"):format(bytes, out, journal.NAME)))
  os.exit(0, false)
end

if last == "journal" then
  assert(journal.open(out))
  finish()
end
local batch = assert(new_client.new("http://127.0.0.1:1"):batch {
  jobs = jobs, out = out, name = NAME, prompt = PROMPT,
  on_event = function(event)
    if event.type == "sending" then finish() end
  end,
})
assert(batch.plan.done == count and batch.plan.to_send == 1)
if last == "checked" then finish() end
batch:run()
error "the new job was not sent"
