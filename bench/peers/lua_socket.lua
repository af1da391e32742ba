--- Benchmark of LuaSocket, which opens a connection for each request. bench/measure.lua documents the output.
---
---     lua_socket.lua calls BASE HEAD COUNT WARM
---
--- The arguments are those of raw_libcurl.c.
local here = arg[0]:match("^.*/") or "./"
local measure, read_head = dofile(here .. "../measure.lua"), dofile(here .. "read_headers.lua")
local cjson, http, ltn12 = require "cjson", require "socket.http", require "ltn12"

assert(arg[1] == "calls")
local url, headers = arg[2] .. "/api/v1/auth/me", {}
for _, pair in ipairs(read_head(arg[3])) do headers[pair[1]] = pair[2] end

measure.calls(function()
  local pieces = {}
  local done, status = http.request { url = url, headers = headers, sink = ltn12.sink.table(pieces) }
  assert(done and status == 200, status)
  assert(cjson.decode(table.concat(pieces)).email == "dev@example.com")
end, tonumber(arg[4]), tonumber(arg[5]))
