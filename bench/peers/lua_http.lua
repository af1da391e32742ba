--- Benchmark of lua-http, used with care: it keeps its connections. The usual way, request:go, opens one for each request.
--- bench/measure.lua documents the output.
---
---     lua_http.lua calls BASE HEAD COUNT WARM
---     lua_http.lua many BASE HEAD COUNT WARM AT_ONCE
---
--- The arguments are those of raw_libcurl.c.
local here = arg[0]:match("^.*/") or "./"
local measure, read_head = dofile(here .. "../measure.lua"), dofile(here .. "read_headers.lua")
local cjson, cqueues = require "cjson", require "cqueues"
local client, new_headers = require "http.client", require("http.headers").new

local scheme, host, port = arg[2]:match("^(%l+)://([^:/]+):(%d+)$")
local pairs_of_head = read_head(arg[3])

local function headers()
  local list = new_headers()
  list:append(":method", "GET")
  list:append(":scheme", scheme)
  list:append(":path", "/api/v1/auth/me")
  list:append(":authority", host .. ":" .. port)
  for _, pair in ipairs(pairs_of_head) do list:append(pair[1]:lower(), pair[2]) end
  return list
end

local function connect()
  return assert(client.connect { host = host, port = tonumber(port), tls = scheme == "https", version = 1.1 })
end

local function call(connection)
  local stream = assert(connection:new_stream())
  assert(stream:write_headers(headers(), true))
  assert(stream:get_headers():get(":status") == "200")
  assert(cjson.decode(assert(stream:get_body_as_string())).email == "dev@example.com")
end

local modes = {}

function modes.calls()
  local connection = connect()
  measure.calls(function() call(connection) end, tonumber(arg[4]), tonumber(arg[5]))
end

function modes.many()
  local connections, loop = {}, cqueues.new()
  for i = 1, tonumber(arg[6]) do connections[i] = connect() end
  local function call_many(count)
    for _, connection in ipairs(connections) do
      loop:wrap(function()
        while count > 0 do
          count = count - 1
          call(connection)
        end
      end)
    end
    assert(loop:loop())
  end
  call_many(tonumber(arg[5]))
  measure.cpu(tonumber(arg[4]), call_many)
end

modes[arg[1]]()
