--- Benchmark of this client. bench/measure.lua documents the output.
---
---     client.lua calls BASE COUNT WARM [ROOTS]       client:me(), one after another; the waiter steps
---     client.lua frames BASE COUNT WARM              the same on a started engine: its thread steps
---     client.lua many BASE COUNT WARM AT_ONCE [LOOP] so many at once, each in a task; LOOP: of hosts.lua, default own
---     client.lua pool BASE AT_ONCE                   so many at once, then one by one: connections that are open then
---     client.lua flight BASE COUNT                   memory of a call that nobody answers, its task included
---     client.lua clients BASE COUNT resident|heap    memory of an end user's client
---     client.lua upload BASE ROOTS FILE...           client:me(), then one project:generate, which is measured
---     client.lua download BASE FILE                  client:me(), then one gen:save, which is measured
---
--- ROOTS is a CA file; "-", or none, stands for the client's own.
local here = arg[0]:match("^.*/") or ""
local clients, hosts = dofile(here .. "new_client.lua"), dofile(here .. "hosts.lua")
local measure = dofile(here .. "measure.lua")
local devkit4ai = require "devkit4ai"

local PROJECT, TOKEN, call_many = clients.PROJECT, clients.TOKEN, clients.call_many

local function new_client(roots, loop) return clients.new(arg[2], roots, loop) end

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

function modes.many()
  local loop = arg[6] or "own"
  local client, at_once = new_client(nil, loop), tonumber(arg[5])
  hosts[loop](function()
    call_many(client, at_once, tonumber(arg[4]))
    measure.cpu(tonumber(arg[3]), function(count) call_many(client, at_once, count) end)
  end)
end

-- Connections of this machine to the server's port; none but ours are.
local function open_connections()
  local wanted, count = ("%04X"):format(tonumber(arg[2]:match("%d+$"))), 0
  for line in io.lines("/proc/self/net/tcp") do
    local port, state = line:match("^%s*%d+: %x+:%x+ %x+:(%x+) (%x+)")
    if port == wanted and state == "01" then count = count + 1 end
  end
  return count
end

function modes.pool()
  local client, at_once = new_client(), tonumber(arg[3])
  call_many(client, at_once, 20 * at_once)
  for _ = 1, at_once do assert(client:me()) end
  print(open_connections())
end

function modes.flight()
  local client, count = new_client(), tonumber(arg[3])
  local generation = client:project(PROJECT):generation(clients.GENERATION)
  assert(client:me())
  measure.bytes(count, function()
    for _ = 1, count do
      devkit4ai.spawn(function() generation:refresh() end)
    end
    require("devkit4ai.loop.waits").sleep(measure.FLIGHT, client)
  end)
  os.exit(0)
end

function modes.clients()
  local count, project = tonumber(arg[3]), new_client():project(PROJECT)
  measure.bytes(count, function(list)
    for i = 1, count do
      list[i] = assert(project:end_user { access_token = TOKEN, refresh_token = TOKEN })
      if i % 100 == 0 then collectgarbage() end -- the arguments' tables are not what is measured
    end
  end, arg[4])
end

function modes.upload()
  local client = new_client(arg[3] ~= "-" and arg[3] or nil)
  local project, images = client:project(PROJECT), {}
  for i = 4, #arg do images[#images + 1] = arg[i] end
  assert(client:me()) -- idle is a process whose libcurl has begun its work
  measure.peak(function()
    assert(assert(project:generate { images = images, prompt = "a futuristic cityscape with neon lights" }).id)
  end)
end

function modes.download()
  local client = new_client()
  local generation = client:generation(clients.GENERATION)
  generation.image_url = arg[2] .. "/image.jpg" -- as one has it that is completed
  assert(client:me())
  measure.peak(function() assert(generation:save(arg[3], { overwrite = true })) end)
end

modes[arg[1]]()
