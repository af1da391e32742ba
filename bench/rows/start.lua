--- Row of start-up: whole processes.
local M = {}

local CURL_LUAS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds its Lua-cURL for

local function load_modules(harness)
  local cells = {}
  harness.each(cells, harness.LUAS, function(lua)
    return { name = lua .. " + cjson", measure = harness.spawn("", lua, [[-e 'require "cjson"']]) }
  end)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = ("this client, above %s + cjson"):format(lua), figure = 1.5, memory = 1,
      measure = harness.spawn("", lua, [[-e 'require "cjson" require "devkit4ai"']], lua .. " + cjson") }
  end)
  harness.each_with(cells, "Lua-cURL", "curl", CURL_LUAS, function(lua)
    return { name = ("Lua-cURL, above %s + cjson"):format(lua),
      measure = harness.spawn("", lua, [[-e 'require "cjson" require "curl"']], lua .. " + cjson") }
  end)
  harness.show("R5: require, whole processes", "ms each", cells)
end

local function first_plain_call(harness, shared, start_server)
  local url = start_server("", harness.pin)
  local raw, arguments = "C linked with libcurl", ("calls %s %s 1 0"):format(url, shared.me_head)
  local cells = { { name = raw, measure = harness.spawn("", nil, harness.program("raw_libcurl") .. " " .. arguments) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = lua .. " alone", measure = harness.spawn("", lua, "-e ''") }
  end)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "C and " .. lua, measure = function(seen)
      return seen[raw].figure + seen[lua .. " alone"].figure, seen[raw].memory
    end }
  end)
  harness.each(cells, harness.LUAS, function(lua)
    return { name = ("this client, %s (x: to C and %s)"):format(lua, lua), base = "C and " .. lua, ratio = 1.15,
      measure = harness.spawn("", lua, harness.first_call(url)) }
  end)
  harness.each_with(cells, "Lua-cURL", "curl", CURL_LUAS, function(lua)
    return { name = ("Lua-cURL, %s (x: to C and %s)"):format(lua, lua), base = "C and " .. lua,
      measure = harness.spawn("", lua, harness.script("peers/lua_curl.lua") .. " " .. arguments) }
  end)
  harness.show("R5: to the first plain answer, whole processes", "ms each", cells)
end

function M.R5(harness, shared, start_server)
  load_modules(harness)
  first_plain_call(harness, shared, start_server)
end

return M
