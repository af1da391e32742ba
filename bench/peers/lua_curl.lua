--- Benchmark of Debian's Lua-cURL, used with care: one handle for all calls. bench/measure.lua documents the output.
---
---     lua_curl.lua calls BASE HEAD COUNT WARM
---     lua_curl.lua upload BASE HEAD ROOTS FILE...
---
--- The arguments are those of raw_libcurl.c; ROOTS must be the only file of its folder. Debian's build has no forms, so the
--- multipart body is written here and given to libcurl piece by piece.
local here = arg[0]:match("^.*/") or "./"
local measure, read_head = dofile(here .. "../measure.lua"), dofile(here .. "read_headers.lua")
local curl, cjson = require "curl", require "cjson"

local function headers()
  local list, present = {}, {}
  for _, pair in ipairs(read_head(arg[3])) do
    present[pair[1]:lower()] = true
    list[#list + 1] = pair[1] .. ": " .. pair[2]
  end
  if not present.accept then list[#list + 1] = "Accept:" end
  if not present.expect then list[#list + 1] = "Expect:" end
  return list
end

local function new_handle()
  local easy, pieces = curl.easy_init(), {}
  easy:setopt(curl.OPT_URL, arg[2] .. "/api/v1/auth/me")
  easy:setopt(curl.OPT_HTTPHEADER, headers())
  easy:setopt(curl.OPT_WRITEFUNCTION, function(bytes)
    pieces[#pieces + 1] = bytes
    return #bytes
  end)
  return easy, function()
    for i = #pieces, 1, -1 do pieces[i] = nil end
    local code, message = easy:perform()
    assert(code == 0, message)
    return cjson.decode(table.concat(pieces))
  end
end

--- The body as a function that gives its next piece, at most so many bytes long, and its whole length.
local function multipart(boundary, files)
  local parts, length = {}, 0
  local function text(bytes)
    parts[#parts + 1] = bytes
    length = length + #bytes
  end
  for _, path in ipairs(files) do
    text("--" .. boundary .. '\r\nContent-Disposition: form-data; name="example_images"; filename="'
      .. path:match("[^/]*$") .. '"\r\nContent-Type: image/jpeg\r\n\r\n')
    local file = assert(io.open(path, "rb"))
    parts[#parts + 1] = file
    length = length + file:seek("end")
    file:seek("set")
    text("\r\n")
  end
  text("--" .. boundary .. '\r\nContent-Disposition: form-data; name="instructions"\r\n\r\n'
    .. '{"prompt":"a futuristic cityscape with neon lights"}\r\n--' .. boundary .. "--\r\n")
  local at = 1
  return function(room)
    while parts[at] do
      local part = parts[at]
      if type(part) == "string" then
        parts[at] = #part > room and part:sub(room + 1) or false
        if parts[at] == false then at = at + 1 end
        return part:sub(1, room)
      end
      local bytes = part:read(room)
      if bytes then return bytes end
      part:close()
      at = at + 1
    end
    return ""
  end, length
end

local modes = {}

function modes.calls()
  local _, call = new_handle()
  measure.calls(function() assert(call().email == "dev@example.com") end, tonumber(arg[4]), tonumber(arg[5]))
end

function modes.upload()
  local boundary = "------------------------d74496d66958873e"
  local easy, call = new_handle()
  if arg[4] ~= "-" then
    easy:setopt(curl.OPT_CAINFO, arg[4])
    easy:setopt(curl.OPT_CAPATH, arg[4]:match("^(.*)/"))
  end
  local files = {}
  for i = 5, #arg do files[#files + 1] = arg[i] end
  call()
  measure.peak(function()
    local next_piece, length = multipart(boundary, files)
    local list = headers()
    list[#list + 1] = "Content-Type: multipart/form-data; boundary=" .. boundary
    easy:setopt(curl.OPT_URL, arg[2] .. "/api/v1/generation/generate-v2")
    easy:setopt(curl.OPT_HTTPHEADER, list)
    easy:setopt(curl.OPT_FRESH_CONNECT, 1) -- as every POST of the client
    easy:setopt(curl.OPT_POST, 1)
    easy:setopt(curl.OPT_POSTFIELDSIZE_LARGE, length)
    easy:setopt(curl.OPT_READFUNCTION, function(room)
      local bytes = next_piece(room)
      return #bytes, bytes
    end)
    assert(call().id)
  end)
end

modes[arg[1]]()
