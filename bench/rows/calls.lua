--- Rows of small GETs: one after another, and many at once.
local M = {}

local PEERS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds Lua-cURL and lua-http for

local function add_own(harness, cells, mode, url, rest, limits)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, " .. lua, ratio = limits[lua],
      measure = harness.command(harness.lua(lua, "client.lua", mode, url, rest)) }
  end)
end

local function add_peer(harness, cells, name, module, luas, file, arguments)
  harness.each_with(cells, name, module, luas, function(lua)
    return { name = name .. ", " .. lua, measure = harness.command(harness.lua(lua, file, arguments)) }
  end)
end

local function one_after_another(mode, harness, shared, start_server, limits)
  local url = start_server("", harness.pin)
  local arguments = ("calls %s %s 8000 50"):format(url, shared.me_head)
  local cells = { { name = "raw libcurl, easy handle reused",
    measure = harness.command(harness.raw_libcurl(arguments)) } }
  add_own(harness, cells, mode, url, "8000 50", limits)
  return cells, url, arguments
end

function M.R1(harness, shared, start_server)
  local cells, url, arguments = one_after_another("calls", harness, shared, start_server,
    { ["lua5.4"] = 1.1, luajit = 1.0 })
  add_peer(harness, cells, "Lua-cURL", "curl", PEERS, "peers/lua_curl.lua", arguments)
  add_peer(harness, cells, "lua-http", "http.client", PEERS, "peers/lua_http.lua", arguments)
  -- few calls: a connection each would use up the machine's ports
  add_peer(harness, cells, "LuaSocket (a connection each)", "socket.http", harness.LUAS, "peers/lua_socket.lua",
    ("calls %s %s 400 20"):format(url, shared.me_head))
  harness.with_node(cells, { name = "Node fetch",
    measure = harness.command(harness.node("many", url, shared.me_head, "1000 300 1")) })
  harness.show("R1: 8,000 small GETs after 50, one connection", "us a call", cells)
end

function M.R1t(harness, shared, start_server)
  local cells = one_after_another("frames", harness, shared, start_server,
    { ["lua5.4"] = 2.1, ["lua5.1"] = 2.1, luajit = 2.1 })
  harness.show("R1t: the same on a started engine", "us a call", cells)
end

function M.R2(harness, shared, start_server)
  local url = start_server("", harness.pin_apart)
  local function raw(at_once, warm)
    return { name = ("raw libcurl, multi with poll, %d"):format(at_once),
      measure = harness.command(harness.raw_libcurl("many", url, shared.me_head, "10000", warm, at_once)) }
  end
  local function own(lua, at_once, warm)
    return { name = ("this client, %s, %d"):format(lua, at_once),
      measure = harness.command(harness.lua(lua, "client.lua", "many", url, "10000", warm, at_once)) }
  end
  local cells = { raw(64, 200) }
  harness.each(cells, harness.LUAS, function(lua)
    local cell = own(lua, 64, 200)
    cell.ratio = 1.05
    return cell
  end)
  add_peer(harness, cells, "lua-http", "http.client", PEERS, "peers/lua_http.lua",
    ("many %s %s 4000 200 64"):format(url, shared.me_head))
  harness.with_node(cells, { name = "Node fetch",
    measure = harness.command(harness.node("many", url, shared.me_head, "2000 600 64")) })
  local crowd = raw(1000, 2000)
  crowd.base = cells[1].name
  cells[#cells + 1] = crowd
  harness.each(cells, harness.LUAS, function(lua)
    local cell = own(lua, 1000, 2000)
    cell.base, cell.ratio = ("this client, %s, 64"):format(lua), 1.5
    return cell
  end)
  harness.show("R2: 10,000 small GETs, 64 and 1,000 at once (x of 1,000: to 64)", "us a call", cells)
end

return M
