--- Row of TLS: one connection, new ones, and the first call of a process.
local M = {}

local PEERS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds Lua-cURL and lua-http for

local function new_connections(kit, shared, start_server, before)
  local url = start_server("--close " .. shared.tls, kit.pin)
  local words = ("calls %s %s 20 3"):format(url, shared.me_head)
  local cells = { { name = "raw libcurl, its defaults", measure = kit.command(before, kit.twin(words)) } }
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "this client, its defaults, " .. lua, figure = 1000,
      measure = kit.command(before, kit.lua(lua, "client.lua", "calls", url, "20 3")) }
  end)
  cells[#cells + 1] = { name = "this client, ca_file = the bundle, lua5.4", figure = 1000,
    measure = kit.command(before, kit.lua("lua5.4", "client.lua",
      "calls", url, "20 3", shared.roots .. "/ca-certificates.crt")) }
  kit.each_with(cells, "Lua-cURL", "curl", PEERS, function(lua)
    return { name = "Lua-cURL (GnuTLS), its defaults, " .. lua,
      measure = kit.command(before, kit.lua(lua, "lua_curl.lua", words)) }
  end)
  kit.show("R3: 20 new verified connections after 3", "us each", cells)
end

local function one_connection(kit, shared, start_server, before)
  local url = start_server(shared.tls, kit.pin)
  local words = ("calls %s %s 4000 50"):format(url, shared.me_head)
  local cells = { { name = "raw libcurl, easy handle re-used", measure = kit.command(before, kit.twin(words)) } }
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "this client, " .. lua, ratio = 1.05,
      measure = kit.command(before, kit.lua(lua, "client.lua", "calls", url, "4000 50")) }
  end)
  kit.each_with(cells, "Lua-cURL", "curl", PEERS, function(lua)
    return { name = "Lua-cURL (GnuTLS), " .. lua, measure = kit.command(before, kit.lua(lua, "lua_curl.lua", words)) }
  end)
  kit.each_with(cells, "lua-http", "http.client", PEERS, function(lua)
    return { name = "lua-http, " .. lua, measure = kit.command(before, kit.lua(lua, "lua_http.lua", words)) }
  end)
  kit.show("R3: 4,000 small GETs after 50, one connection with TLS 1.3", "us a call", cells)
end

local function first_verified_call(kit, shared, start_server, before)
  local url = start_server(shared.tls, kit.pin)
  local cells = { { name = "raw libcurl, its defaults",
    measure = kit.spawn(before, nil, kit.program("twin") .. (" calls %s %s 1 0"):format(url, shared.me_head)) } }
  kit.each(cells, kit.LUAS, function(lua)
    return { name = lua .. " alone", measure = kit.spawn(before, lua, "-e ''") }
  end)
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "this client, above " .. lua, figure = 10,
      measure = kit.spawn(before, lua, kit.first_call(url), lua .. " alone") }
  end)
  kit.show("R3: first verified call, whole processes", "ms each", cells)
end

function M.R3(kit, shared, start_server)
  local before = shared.trusting
  if not before then
    print("R3 goes unmeasured: its certificate is laid among the system's roots in a mount namespace (unshare -m)")
    return
  end
  one_connection(kit, shared, start_server, before)
  new_connections(kit, shared, start_server, before)
  first_verified_call(kit, shared, start_server, before)
end

return M
