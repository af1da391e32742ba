--- Rows of nginx: one worker. The peer is a cosocket client of the bench's own, because Debian has no lua-resty-http. It does
--- less than lua-resty-http, so it is the stricter peer.
local M = {}

local SECONDS = "2" -- of a load by wrk
local HAND_OFF = 76 -- us of CPU for a wait in nginx, as it was measured before there was this client
local WAITERS, WATCHED = "1000", "30" -- clients, and the seconds for which they are measured: the longest pause of gen:wait

-- The measure of a mode of nginx.lua.
local function nginx(harness, mode, url, head, location, count, seconds)
  return harness.command(harness.lua("luajit", "nginx.lua", mode, url, head, location, count, seconds,
    harness.quote(harness.pin_apart)))
end

-- Measures once a round, and gives each of its figures to a cell of its own table.
local function split(measure, count)
  local lists = {}
  for i = 1, count do lists[i] = {} end
  local function all()
    local figures = { measure() }
    for i = 1, count do table.insert(lists[i], figures[i]) end
    return figures[1]
  end
  return function(i)
    if i == 1 then return all end
    return function() return table.remove(lists[i], 1) end
  end
end

-- Whether this machine has nginx, its Lua module and wrk.
local function is_missing(harness, name)
  if harness.works "nginx -v && wrk -v | grep wrk && ls /usr/share/lua/5.1/resty/core.lua" then return false end
  print("nginx with its Lua module, or wrk, is not installed, so " .. name .. " is not measured")
  return true
end

function M.N1(harness, shared, start_server)
  if is_missing(harness, "N1") then return end
  local url = start_server("", harness.pin_apart)
  for _, connections in ipairs { "1", "64" } do
    local function cell(name, location)
      return { name = name, measure = nginx(harness, "requests", url, shared.me_head, location, connections, SECONDS) }
    end
    local nothing, peer, own = "no call", "cosocket client", "this client"
    harness.show(("N1: a request of nginx that makes a small GET, %s at once"):format(connections), "us a request", {
      cell(nothing, "nothing"), cell(peer, "cosocket"), cell(own, "api"),
      { name = "this client, above the cosocket client", base = peer, figure = HAND_OFF,
        measure = function(seen) return seen[own].figure - seen[peer].figure end },
    })
  end
end

-- A location that measures itself.
local function location(harness, url, query)
  return harness.command(harness.lua("luajit", "nginx.lua", "location", url, "-", harness.quote(query)))
end

function M.N2(harness, _, start_server)
  if is_missing(harness, "N2") then return end
  local url, own = start_server("", harness.pin_apart), "own, luajit"
  for _, many in ipairs { { "64", "200" }, { "1000", "2000" } } do
    local arguments = ("many %s 10000 %s %s"):format(url, many[2], many[1])
    harness.show(("N2: 10,000 small GETs, %s at once, in a request of nginx"):format(many[1]), "us a call", {
      { name = own, measure = harness.command(harness.lua("luajit", "client.lua", arguments)) },
      { name = "nginx", ratio = 1.15, measure = location(harness, url, "many?at_once=" .. many[1]) },
    })
  end
  harness.show("N2: 10,000 tasks that wait 0.1 to 0.6 s, in a request of nginx", "us each", {
    { name = own, measure = harness.command(harness.lua("luajit", "waiting_tasks.lua", "own", "10000")) },
    { name = "nginx", measure = location(harness, url, "tasks?count=10000") },
  })
end

function M.N3(harness, shared, start_server)
  if is_missing(harness, "N3") then return end
  local url = start_server(shared.tls)
  local function stall(query)
    return split(harness.command(harness.lua_on_all_cores("luajit", "nginx.lua", "location", url, shared.certificate,
      harness.quote(query))), 3)
  end
  local idle, busy = stall "stall", stall("stall?images=" .. shared.images:gsub("'", ""):gsub(" ", ","))
  -- Without uploads, a tick is late by the steps of nginx's clock, up to 4 ms: the stall is what uploads add.
  for i, title in ipairs {
    "N3: how late a tick of 1 ms comes in a worker that uploads 5 x 10 MB over TLS, again and again: 99.9th percentile",
    "N3: the same, the latest of all ticks in 3 s",
    "N3: the most CPU that the worker used between two ticks, the engine's thread not counted",
  } do
    harness.show(title .. (i < 3 and "; its waits for a core not counted" or ""), "ms", {
      { name = "no uploads", measure = idle(i) },
      { name = "uploads", figure = i == 3 and 1 or nil, measure = busy(i) },
      { name = "uploads, above no uploads", base = "uploads", figure = 1,
        measure = function(seen) return seen.uploads.figure - seen["no uploads"].figure end },
    })
  end
end

function M.N4(harness, shared, start_server)
  if is_missing(harness, "N4") then return end
  local url = start_server("--pending", harness.pin_apart)
  local function wait(name)
    return split(nginx(harness, "waiting", url, shared.me_head, name, WAITERS, WATCHED), 3)
  end
  local asleep, peer = wait "asleep", wait "cosocket_polls"
  local first, later = wait "generation", wait "generation?interval=30"
  local last = "gen:wait, after its first minute: every 30 s"
  local function show(i, title, unit, limit)
    local cells = {
      { name = "ngx.sleep", base = last, measure = asleep(i) },
      { name = "cosocket client, every 30 s", base = last, measure = peer(i) },
      { name = "gen:wait, its first minute: more often", base = last, measure = first(i) },
      { name = last, measure = later(i) },
      { name = "the same, above ngx.sleep", base = last, figure = limit,
        measure = function(seen) return seen[last].figure - seen["ngx.sleep"].figure end },
    }
    harness.show(title, unit, cells, 1)
  end
  show(1, "N4: 1,000 clients that wait for generations on one worker: percent of a core (x: to gen:wait)", "%", 1)
  show(2, "N4: the same: resident memory for each, nginx's own with it", "KiB", 8)
  show(3, "N4: the same: Lua's heap for each", "KiB")
end

function M.N5(harness, shared, start_server)
  if is_missing(harness, "N5") then return end
  local url = start_server("", harness.pin_apart)
  local run = nginx(harness, "memory", url, shared.me_head, "api", "64", "10")
  local measure = split(run, 3)
  harness.show("N5: calls in about 11 s of load", "calls", { { name = "this client", measure = measure(1) } }, 1)
  harness.show("N5: resident memory of the worker", "KiB", {
    { name = "after the first second", measure = measure(2) },
    { name = "at the end", ratio = 1.05, measure = measure(3) },
  }, 1)
end

return M
