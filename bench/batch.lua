-- Runs jobs against the sandbox, in a process of its own: prints microseconds of CPU a job, and the peak of memory in KiB above the
-- start.
--   batch.lua WAY COUNT FOLDER    WAY: "batch"; "loop": a program that generates, waits and saves by itself, as many at once;
--                                 or the command of bench/peers/raw_libcurl.c, which sends the same requests
local way, count, folder = arg[1], tonumber(arg[2]), arg[3]
local here = arg[0]:match("^.*/") or "./"
local devkit4ai = require "devkit4ai"
local measure = dofile(here .. "measure.lua")

local AT_ONCE = 50
local STEP_TIME = 0.25 -- seconds; a generation has two steps
require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 1 end -- one status request for each generation

-- The sandbox draws one image, for all generations: its only thread would draw for longer than all else takes.
local ONE_IMAGE = [[local renderer = require "devkit4ai.sandbox.images.image_renderer"
  local draw, image = renderer.draw, nil
  renderer.draw = function(...) image = image or draw(...) return image end]]

-- The row's paths are those of this Lua; the sandbox runs on 5.4.
local SANDBOX = ("env -u LUA_PATH -u LUA_CPATH LUA_INIT='%s' %s../build/devkit4ai"):format(ONE_IMAGE, here)
local box = assert(require("devkit4ai.sandbox").start { step_time = STEP_TIME, command = SANDBOX })
local developer = box:developer { email = "dev@example.com", password = "SecurePass123" }
local client = assert(devkit4ai.new { base_url = box.url, developer_key = developer.developer_key })
assert(client:login("dev@example.com", "SecurePass123"))
local project = client:project(developer.project_id)
project:use_key(developer.project_key)

local out = ("%s/%s%d"):format(folder, way:match("[^/]+$"), count)
local jobs, image = out .. ".csv", folder .. "/small.png"

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  file:close()
end

assert(os.execute(("rm -rf %s && mkdir %s"):format(out, out)))
write(image, "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture")
do
  local rows = { "image,city\n" }
  for i = 1, count do rows[i + 1] = ("%s,City %d\n"):format(image, i) end
  write(jobs, table.concat(rows))
end

local WAYS = {}

function WAYS.batch()
  local batch = assert(client:batch {
    jobs = jobs, out = out, name = "{row.city}.png", prompt = "a view of {row.city} at night", project = project,
    concurrency = AT_ONCE,
  })
  assert(assert(batch:run()).done == count)
end

function WAYS.loop()
  local tasks, last = {}, 0
  for i = 1, AT_ONCE do
    tasks[i] = devkit4ai.spawn(function()
      while last < count do
        last = last + 1
        local city = "City " .. last
        local prompt = ("a view of %s at night"):format(city)
        local gen = assert(project:generate { images = { image }, instructions = prompt })
        assert(gen:wait())
        assert(gen:save(("%s/%s.png"):format(out, city)))
      end
    end)
  end
  for _, task in ipairs(tasks) do task:join() end
end

-- What libcurl sends with each request to the API: the headers of this client.
local function write_head(path)
  write(path, ([[POST /
Authorization: Bearer %s
X-User-Role: end_user
X-Developer-Key: %s
X-Project-ID: %s
X-API-Key: %s
Accept: */*
]]):format(client:tokens().access_token, developer.developer_key, developer.project_id, developer.project_key))
end

local function run_raw_libcurl()
  local head = out .. "/head"
  write_head(head)
  local ran = os.execute(("%s jobs %s %s %d %d %s %s"):format(way, box.url, head, count, AT_ONCE, image, out))
  os.remove(head)
  assert(ran == 0 or ran == true, "raw libcurl failed")
end

if not WAYS[way] then
  run_raw_libcurl()
  box:stop()
  return
end

collectgarbage()
local before, start = measure.memory "VmRSS", os.clock()
WAYS[way]()
local used = os.clock() - start
print(("%.3f %d"):format(used / count * 1e6, measure.memory "VmHWM" - before))
if way == "batch" then
  local file = assert(io.open(out .. "/journal.jsonl"))
  assert(file:seek "end" <= count * 1024, "the journal has more than 1 KB a job")
  file:close()
end
box:stop()
