--- What the rows of the benchmarks are put together from: cells, command lines that print their figures, what is shared.
local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
local bed = dofile(here .. "/bed.lua")

local M = {}

M.program, M.script, M.quote, M.show = bed.program, bed.script, bed.quote, dofile(here .. "/table.lua").show

M.LUAS = { "lua5.4", "lua5.1", "luajit" }
M.ALL_LUAS = { "lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit" }

--- The command lines of the sandbox, and of Prism over the vendor's file where it is installed.
M.sandbox = bed.quote(bed.build .. "/devkit4ai") .. " sandbox --port 0"
local prism = bed.build .. "/contract/node_modules/.bin/prism"
M.prism = bed.works("test -x " .. bed.quote(prism))
  and ("%s mock --port 0 %s"):format(bed.quote(prism), bed.quote(bed.build .. "/../spec/contract/openapi.json"))

local pin = bed.pin()
M.pin = pin
M.pin_apart = bed.pin_apart()

--- A cell's measure: a command line that prints its figures.
---@param ... string words for the shell
---@return fun(): number, number?
function M.command(...)
  local line = table.concat({ ... }, " ")
  return function()
    local figures = {}
    for word in bed.output(line):gmatch("%S+") do figures[#figures + 1] = assert(tonumber(word), word) end
    return table.unpack(figures)
  end
end

--- The command line of bench/twin.c.
---@return string
function M.twin(...)
  return table.concat({ pin .. bed.program("twin"), ... }, " ")
end

--- The command line of a script of bench/ in a Lua.
---@return string
function M.lua(lua, name, ...)
  return table.concat({ bed.environment(lua) .. pin .. lua, bed.script(name), ... }, " ")
end

--- The command line of bench/fetch.mjs.
---@return string
function M.node(...)
  return table.concat({ pin .. "node", bed.script("fetch.mjs"), ... }, " ")
end

--- The measure of a short process, 20 times a round.
---@param before string what goes before its command line
---@param lua string? the interpreter; nil: rest is a program
---@param rest string its arguments
---@param less string? the name of an earlier cell, whose figures are taken off
---@return fun(seen: table<string, bench.Figure>): number, number?
function M.spawn(before, lua, rest, less)
  local measure = M.command(lua and bed.environment(lua) or "", before .. pin, bed.program("spawn"), "20",
    lua or "", rest)
  if not less then return measure end
  return function(seen)
    local cpu, memory = measure()
    return cpu - seen[less].figure, memory - seen[less].memory
  end
end

--- The shortest program that makes a first call, as an interpreter's arguments.
---@param url string
---@return string
function M.first_call(url)
  local chunk = 'assert(require("devkit4ai").new { base_url = "%s", access_token = "t" }:me())'
  return "-e " .. bed.quote(chunk:format(url))
end

local known = {}

local function works(line)
  if known[line] == nil then known[line] = bed.works(line) end
  return known[line]
end

--- Adds a cell for each of the Luas that is installed.
---@param cells bench.Cell[]
---@param luas string[]
---@param make fun(lua: string): bench.Cell
function M.each(cells, luas, make)
  for _, lua in ipairs(luas) do
    if works(lua .. " -e ''") then cells[#cells + 1] = make(lua) end
  end
end

--- Adds a cell for each of the Luas that has a peer's module, and says so where none has.
---@param cells bench.Cell[]
---@param name string the peer's
---@param module string
---@param make fun(lua: string): bench.Cell
function M.each_with(cells, name, module, luas, make)
  local before = #cells
  for _, lua in ipairs(luas) do
    if works(("%s -e 'require \"%s\"'"):format(lua, module)) then cells[#cells + 1] = make(lua) end
  end
  if #cells == before then print(name .. " is missing here, and goes unmeasured") end
end

--- Adds Node's cell, or says that there is no Node.
---@param cells bench.Cell[]
---@param cell bench.Cell
function M.with_node(cells, cell)
  if works("node -e 'if (!globalThis.fetch) process.exit(1)'") then cells[#cells + 1] = cell
  else print("Node with fetch is missing here, and goes unmeasured") end
end

--- What the rows share, made when it is first asked for.
---@param folder string
---@param start_server fun(arguments?: string, prefix?: string): string
function M.new_shared(folder, start_server)
  local makers = {}

  --- The head of the client's own request: the peers send the same headers.
  local function head(name, ...)
    local path = bed.quote(("%s/%s.head"):format(folder, name))
    bed.output((M.lua("lua5.4", "client.lua", ...):gsub("URL", start_server("--head " .. path))))
    return path
  end

  function makers.me_head() return head("me", "calls URL 1 0") end

  function makers.upload_head(shared) return head("upload", "upload URL -", shared.images) end

  --- Five files of the largest size that the client takes, JPEG by their first bytes.
  function makers.images()
    local words = {}
    for i = 1, 5 do
      local path = ("%s/image%d.jpg"):format(folder, i)
      local file = assert(io.open(path, "wb"))
      assert(file:write("\xff\xd8\xff\xe0", ("picture "):rep(10 * 1024 * 1024 // 8 - 1), "pict"))
      assert(file:close())
      words[i] = bed.quote(path)
    end
    return table.concat(words, " ")
  end

  function makers.picture() return bed.quote(folder .. "/picture.jpg") end

  --- A certificate for 127.0.0.1, alone in its folder.
  function makers.certificate()
    bed.output(("mkdir %s/trust && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=devkit4ai-bench"
      .. " -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/trust/server.pem 2>&1")
      :format(folder, folder, folder))
    return folder .. "/trust/server.pem"
  end

  function makers.tls(shared) return ("--tls %s %s/key.pem"):format(shared.certificate, folder) end

  --- A copy of the system's roots with the certificate among them, in the bundle and in the hashed directory.
  function makers.roots(shared)
    local roots = folder .. "/roots"
    bed.output(([[cp -a /etc/ssl/certs ROOTS && cat CERTIFICATE >>ROOTS/ca-certificates.crt
      cp CERTIFICATE ROOTS/$(openssl x509 -hash -noout -in CERTIFICATE).0]])
      :gsub("%u+", { ROOTS = roots, CERTIFICATE = shared.certificate }))
    return roots
  end

  --- What goes before a command line that is to find those roots where the system's are: everybody's own defaults can
  --- then be measured. False where no mount namespace can be had.
  function makers.trusting(shared)
    for _, unshare in ipairs { "unshare -m", "unshare -rm" } do
      local before = ([[%s sh -c 'mount --bind %s /etc/ssl/certs && exec "$@"' sh ]]):format(unshare, shared.roots)
      if bed.works(before .. "true") then return before end
    end
    return false
  end

  return setmetatable({}, { __index = function(shared, name)
    shared[name] = makers[name](shared)
    return shared[name]
  end })
end

return M
