--- Row of TLS: one connection, new ones, and the first call of a process.
local M = {}

local PEERS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds Lua-cURL and lua-http for

local function new_connections(harness, shared, start_server, before)
  local url = start_server("--close " .. shared.tls, harness.pin)
  local arguments = ("calls %s %s 20 3"):format(url, shared.me_head)
  local cells = { { name = "raw libcurl, its defaults",
    measure = harness.command(before, harness.raw_libcurl(arguments)) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, its defaults, " .. lua, figure = 1000,
      measure = harness.command(before, harness.lua(lua, "client.lua", "calls", url, "20 3")) }
  end)
  cells[#cells + 1] = { name = "this client, ca_file = the bundle, lua5.4", figure = 1000,
    measure = harness.command(before, harness.lua("lua5.4", "client.lua",
      "calls", url, "20 3", shared.roots .. "/ca-certificates.crt")) }
  harness.each_with(cells, "Lua-cURL", "curl", PEERS, function(lua)
    return { name = "Lua-cURL (GnuTLS), its defaults, " .. lua,
      measure = harness.command(before, harness.lua(lua, "peers/lua_curl.lua", arguments)) }
  end)
  harness.show("R3: 20 new verified connections after 3", "us each", cells)
end

local function one_connection(harness, shared, start_server, before)
  local url = start_server(shared.tls, harness.pin)
  local arguments = ("calls %s %s 4000 50"):format(url, shared.me_head)
  local cells = { { name = "raw libcurl, easy handle reused",
    measure = harness.command(before, harness.raw_libcurl(arguments)) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, " .. lua, ratio = 1.05,
      measure = harness.command(before, harness.lua(lua, "client.lua", "calls", url, "4000 50")) }
  end)
  harness.each_with(cells, "Lua-cURL", "curl", PEERS, function(lua)
    return { name = "Lua-cURL (GnuTLS), " .. lua,
      measure = harness.command(before, harness.lua(lua, "peers/lua_curl.lua", arguments)) }
  end)
  harness.each_with(cells, "lua-http", "http.client", PEERS, function(lua)
    return { name = "lua-http, " .. lua,
      measure = harness.command(before, harness.lua(lua, "peers/lua_http.lua", arguments)) }
  end)
  harness.show("R3: 4,000 small GETs after 50, one connection with TLS 1.3", "us a call", cells)
end

local function first_verified_call(harness, shared, start_server, before)
  local url = start_server(shared.tls, harness.pin)
  local cells = { { name = "raw libcurl, its defaults",
    measure = harness.spawn(before, nil, harness.program("raw_libcurl")
      .. (" calls %s %s 1 0"):format(url, shared.me_head)) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = lua .. " alone", measure = harness.spawn(before, lua, "-e ''") }
  end)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, above " .. lua, figure = 10,
      measure = harness.spawn(before, lua, harness.first_call(url), lua .. " alone") }
  end)
  harness.show("R3: first verified call, whole processes", "ms each", cells)
end

function M.R3(harness, shared, start_server)
  local before = shared.trusting
  if not before then
    print("R3 is not measured: its certificate is added to the system's roots in a mount namespace (unshare -m)")
    return
  end
  one_connection(harness, shared, start_server, before)
  new_connections(harness, shared, start_server, before)
  first_verified_call(harness, shared, start_server, before)
end

return M
