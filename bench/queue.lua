-- The throughput of four workers of a queue beside that of one, while the API is the limit: a generation takes a fixed time in
-- the sandbox, and a worker runs one at a time. Nothing is downloaded: the sandbox has one thread, which would draw the images
-- for all workers. Needs redis-server. build/run lua5.4 bench/queue.lua
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local redis_servers = require "spec.support.servers.redis"

local EACH = 6 -- jobs for each worker
local STEP_TIME = 3 -- seconds; a generation has two steps

-- A worker: prints how many jobs it finished.
local WORKER = [[
local url, developer_key, project_id, project_key, queue, out = ...
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.2 end
package.loaded["devkit4ai.batch.run.save"] = { run = function() return 0 end }
local client = assert(devkit4ai.new { base_url = url, developer_key = developer_key })
assert(client:login("dev@example.com", "SecurePass123"))
local project = client:project(project_id)
project:use_key(project_key)
local summary = assert(client:work_batch { queue = queue, out = out, project = project, concurrency = 1 })
print(summary.saved)
]]

local function run(workers)
  local redis, folder = redis_servers.start(), child.folder()
  local box = assert(require("devkit4ai.sandbox").start { step_time = STEP_TIME })
  local developer = box:developer { email = "dev@example.com", password = "SecurePass123" }
  local image = folder .. "/small.png"
  local file = assert(io.open(image, "wb"))
  file:write "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture"
  file:close()
  assert(os.execute("mkdir " .. folder .. "/out"))
  local list = {}
  for i = 1, EACH * workers do list[i] = { image = image, prompt = "picture " .. i } end
  assert(assert(devkit4ai.new { base_url = box.url }):push_batch { queue = redis.url, jobs = list })
  local ends = {}
  for i = 1, workers do
    ends[i] = child.start(WORKER, { args = { box.url, developer.developer_key, developer.project_id,
      developer.project_key, redis.url, folder .. "/out" } })
  end
  local saved = 0
  for i = 1, workers do saved = saved + tonumber(ends[i]().out) end
  assert(saved == EACH * workers)
  local first, last = math.huge, 0
  for _, gen in ipairs(box:generations()) do
    first, last = math.min(first, gen.time), math.max(last, gen.time)
  end
  box:stop()
  child.remove(folder)
  return (saved - workers) / (last - first) -- from the first request of each worker to its last one
end

local one, four = run(1), run(4)
redis_servers.stop_all()
print(("one worker: %.3f jobs/s; four workers: %.3f jobs/s; %.2f times as many"):format(one, four, four / one))
