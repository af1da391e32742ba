--- CPU cost of a server for GET /api/v1/auth/me, with 64 connections of wrk. The server has its own core.
---
---     server_cost.lua sandbox|node|prism SECONDS PIN COMMAND...
---
--- Prints microseconds of CPU a request, and the 99th percentile of the response times in ms. PIN is a prefix of wrk's command
--- line. COMMAND starts the server, at the end by exec, so that the process is the server's.
local kind, seconds, pin = arg[1], tonumber(arg[2]), arg[3]
local command = table.concat(arg, " ", 4)

local function output(line)
  local pipe = assert(io.popen(line))
  local printed = pipe:read("a")
  pipe:close()
  return printed
end

local log = os.tmpname()
local pid = assert(output(("%s >%s 2>&1 </dev/null & echo $!"):format(command, log)):match("%d+"))

-- Waits until the output of the server matches, and returns the capture.
local function wait_for(pattern)
  for _ = 1, 200 do
    local file = assert(io.open(log))
    local printed = file:read("a")
    file:close()
    local found = printed:match(pattern)
    if found then return found end
    os.execute("sleep 0.1")
  end
  error("no server from: " .. command)
end

-- A token that the sandbox checks; the others take any.
local TOKENS = {
  sandbox = function(url)
    local devkit4ai = require "devkit4ai"
    local account = { email = "dev@example.com", password = "SecurePass123" }
    local client = assert(devkit4ai.new { base_url = url, operator_key = wait_for("OPERATOR_KEY=(%S+)") })
    assert(client:register(account))
    local answer = assert(client:request { method = "POST", path = "/api/v1/auth/login", json = account })
    return answer.json.access_token
  end,
}

-- CPU of all threads of the server so far, in nanoseconds.
local function cpu()
  local sum = 0
  for line in output(("cat /proc/%s/task/*/schedstat"):format(pid)):gmatch("(%d+) %d+ %d+") do sum = sum + line end
  return sum
end

local WARM = 5 -- seconds, in which Node compiles what it runs most

local function load(url, token, time)
  return output(("%swrk -t1 -c64 -d%gs --latency -H 'Authorization: Bearer %s' %s/api/v1/auth/me")
    :format(pin, time, token, url))
end

local UNITS = { us = 1e-3, ms = 1, s = 1e3 }

local url = wait_for("http://127%.0%.0%.1:%d+")
local token = TOKENS[kind] and TOKENS[kind](url) or "t"
load(url, token, WARM)
local before = cpu()
local report = load(url, token, seconds)
local used, requests = cpu() - before, tonumber(report:match("(%d+) requests in"))
output("kill " .. pid)
os.remove(log)
if report:find("Non-2xx", 1, true) then error("unexpected responses:\n" .. report) end
local time, unit = report:match("99%%%s+([%d.]+)(%a+)")
print(("%.2f %.2f"):format(used / requests / 1e3, time * UNITS[unit]))
