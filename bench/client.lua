--- This client at the bench: what it prints is said in bench/measure.lua.
---
---     client.lua calls BASE COUNT WARM [ROOTS]    client:me(), one after another; the waiter steps
---     client.lua frames BASE COUNT WARM           the same on a started engine: its thread steps
---     client.lua upload BASE ROOTS FILE...        client:me(), then one project:generate, which is measured
---
--- ROOTS is a CA file; "-", or none, stands for the client's own.
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")
local devkit4ai = require "devkit4ai"

local function new_client(roots)
  return devkit4ai.new {
    base_url = arg[2],
    -- as long as the vendor's tokens are; like the vendor's samples it expired long ago, so its age counts from now
    access_token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
      .. ".eyJzdWIiOiI1NTBlODQwMC1lMjliLTQxZDQtYTcxNi00NDY2NTU0NDAwMDAiLCJleHAiOjE3MDIwMzY4MDB9"
      .. ".c2lnbmF0dXJlLW9mLXRoaXJ0eS10d28tYnl0ZXMtaGVyZQ",
    developer_key = "ak_abc123XYZ-_789def456ghi012jkl345",
    project_id = "660e8400-e29b-41d4-a716-446655440000",
    project_key = "pk_abc123XYZ-_789def456ghi012jkl345",
    ca_file = roots,
  }
end

local function calls(roots)
  local client = new_client(roots)
  local function call() assert(assert(client:me()).email == "dev@example.com") end
  measure.calls(call, tonumber(arg[3]), tonumber(arg[4]))
end

local modes = {}

function modes.calls()
  calls(arg[5])
end

function modes.frames()
  devkit4ai.update()
  calls()
end

function modes.upload()
  local client = new_client(arg[3] ~= "-" and arg[3] or nil)
  local project, images = client:project("660e8400-e29b-41d4-a716-446655440000"), {}
  for i = 4, #arg do images[#images + 1] = arg[i] end
  assert(client:me()) -- idle is a process whose libcurl has begun its work
  measure.peak(function()
    assert(assert(project:generate { images = images, prompt = "a futuristic cityscape with neon lights" }).id)
  end)
end

modes[arg[1]]()
