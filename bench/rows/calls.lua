--- Rows of small GETs: one after another, and many at once.
local M = {}

local PEERS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds Lua-cURL and lua-http for

local function add_own(kit, cells, mode, url, rest, limits)
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "this client, " .. lua, ratio = limits[lua],
      measure = kit.command(kit.lua(lua, "client.lua", mode, url, rest)) }
  end)
end

local function add_peer(kit, cells, name, module, luas, file, words)
  kit.each_with(cells, name, module, luas, function(lua)
    return { name = name .. ", " .. lua, measure = kit.command(kit.lua(lua, file, words)) }
  end)
end

local function one_after_another(mode, kit, shared, start_server, limits)
  local url = start_server("", kit.pin)
  local words = ("calls %s %s 8000 50"):format(url, shared.me_head)
  local cells = { { name = "raw libcurl, easy handle re-used", measure = kit.command(kit.twin(words)) } }
  add_own(kit, cells, mode, url, "8000 50", limits)
  return cells, url, words
end

function M.R1(kit, shared, start_server)
  local cells, url, words = one_after_another("calls", kit, shared, start_server, { ["lua5.4"] = 1.1, luajit = 1.0 })
  add_peer(kit, cells, "Lua-cURL", "curl", PEERS, "lua_curl.lua", words)
  add_peer(kit, cells, "lua-http", "http.client", PEERS, "lua_http.lua", words)
  -- few calls: a connection each would use up the machine's ports
  add_peer(kit, cells, "LuaSocket (a connection each)", "socket.http", kit.LUAS, "lua_socket.lua",
    ("calls %s %s 400 20"):format(url, shared.me_head))
  kit.with_node(cells, { name = "Node fetch",
    measure = kit.command(kit.node("many", url, shared.me_head, "1000 300 1")) })
  kit.show("R1: 8,000 small GETs after 50, one connection", "us a call", cells)
end

function M.R1t(kit, shared, start_server)
  local cells = one_after_another("frames", kit, shared, start_server,
    { ["lua5.4"] = 2.1, ["lua5.1"] = 2.1, luajit = 2.1 })
  kit.show("R1t: the same on a started engine", "us a call", cells)
end

function M.R2(kit, shared, start_server)
  local url = start_server("", kit.pin_apart)
  local function raw(at_once, warm)
    return { name = ("raw libcurl, multi with poll, %d"):format(at_once),
      measure = kit.command(kit.twin("many", url, shared.me_head, "10000", warm, at_once)) }
  end
  local function own(lua, at_once, warm)
    return { name = ("this client, %s, %d"):format(lua, at_once),
      measure = kit.command(kit.lua(lua, "client.lua", "many", url, "10000", warm, at_once)) }
  end
  local cells = { raw(64, 200) }
  kit.each(cells, kit.LUAS, function(lua)
    local cell = own(lua, 64, 200)
    cell.ratio = 1.05
    return cell
  end)
  add_peer(kit, cells, "lua-http", "http.client", PEERS, "lua_http.lua",
    ("many %s %s 4000 200 64"):format(url, shared.me_head))
  kit.with_node(cells, { name = "Node fetch",
    measure = kit.command(kit.node("many", url, shared.me_head, "2000 600 64")) })
  local crowd = raw(1000, 2000)
  crowd.base = cells[1].name
  cells[#cells + 1] = crowd
  kit.each(cells, kit.LUAS, function(lua)
    local cell = own(lua, 1000, 2000)
    cell.base, cell.ratio = ("this client, %s, 64"):format(lua), 1.5
    return cell
  end)
  kit.show("R2: 10,000 small GETs, 64 and 1,000 at once (x of 1,000: to 64)", "us a call", cells)
end

return M
