--- Row of start-up: whole processes.
local M = {}

local CURL_LUAS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds its Lua-cURL for

local function load_modules(kit)
  local cells = {}
  kit.each(cells, kit.LUAS, function(lua)
    return { name = lua .. " + cjson", measure = kit.spawn("", lua, [[-e 'require "cjson"']]) }
  end)
  kit.each(cells, kit.LUAS, function(lua)
    return { name = ("this client, above %s + cjson"):format(lua), figure = 1.5, memory = 1,
      measure = kit.spawn("", lua, [[-e 'require "cjson" require "devkit4ai"']], lua .. " + cjson") }
  end)
  kit.each_with(cells, "Lua-cURL", "curl", CURL_LUAS, function(lua)
    return { name = ("Lua-cURL, above %s + cjson"):format(lua),
      measure = kit.spawn("", lua, [[-e 'require "cjson" require "curl"']], lua .. " + cjson") }
  end)
  kit.show("R5: require, whole processes", "ms each", cells)
end

local function first_plain_call(kit, shared, start_server)
  local url = start_server("", kit.pin)
  local raw, arguments = "C linked with libcurl", ("calls %s %s 1 0"):format(url, shared.me_head)
  local cells = { { name = raw, measure = kit.spawn("", nil, kit.program("twin") .. " " .. arguments) } }
  kit.each(cells, kit.LUAS, function(lua) return { name = lua .. " alone", measure = kit.spawn("", lua, "-e ''") } end)
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "C and " .. lua, measure = function(seen)
      return seen[raw].figure + seen[lua .. " alone"].figure, seen[raw].memory
    end }
  end)
  kit.each(cells, kit.LUAS, function(lua)
    return { name = ("this client, %s (x: to C and %s)"):format(lua, lua), base = "C and " .. lua, ratio = 1.15,
      measure = kit.spawn("", lua, kit.first_call(url)) }
  end)
  kit.each_with(cells, "Lua-cURL", "curl", CURL_LUAS, function(lua)
    return { name = ("Lua-cURL, %s (x: to C and %s)"):format(lua, lua), base = "C and " .. lua,
      measure = kit.spawn("", lua, kit.script("lua_curl.lua") .. " " .. arguments) }
  end)
  kit.show("R5: to the first plain answer, whole processes", "ms each", cells)
end

function M.R5(kit, shared, start_server)
  load_modules(kit)
  first_plain_call(kit, shared, start_server)
end

return M
