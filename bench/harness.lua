--- Benchmark harness: the parts that the rows share, such as cells, command lines and input files.
local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
local environment = dofile(here .. "/environment.lua")

local M = {}

M.program, M.script, M.quote = environment.program, environment.script, environment.quote
M.environment = environment.of
M.show = dofile(here .. "/table.lua").show

M.LUAS = { "lua5.4", "lua5.1", "luajit" }
M.ALL_LUAS = { "lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit" }

--- The command lines of the sandbox, and of Prism over the vendor's file where it is installed.
M.sandbox = environment.quote(environment.build .. "/devkit4ai") .. " sandbox --port 0"
local prism = environment.build .. "/contract/node_modules/.bin/prism"
M.prism = environment.works("test -x " .. environment.quote(prism))
  and ("%s mock --port 0 %s"):format(environment.quote(prism),
    environment.quote(environment.build .. "/../spec/contract/openapi.json"))

local pin = environment.pin()
M.pin = pin
M.pin_apart = environment.pin_apart()

--- A cell's measure: a command line that prints its figures.
---@param ... string parts of a command line
---@return fun(): number, number?
function M.command(...)
  local line = table.concat({ ... }, " ")
  return function()
    local figures = {}
    for text in environment.output(line):gmatch("%S+") do figures[#figures + 1] = assert(tonumber(text), text) end
    return table.unpack(figures)
  end
end

local FRAME = 100 -- microseconds, of which 999 frames in 1,000 take less
local FRAME_FIGURES = { "p50", "p99.9", "p99.9, CPU of undisturbed frames", "undisturbed of 1,000 frames" }

--- Adds the cells of a frame loop, which runs once for all of them.
---@param cells bench.Cell[]
---@param name string
---@param base string the loop whose figures x is taken to
---@param has_goal boolean?
---@param run fun(): number, number, number, number what bench/frame_times.h prints
function M.add_frames(cells, name, base, has_goal, run)
  local figures
  for i, what in ipairs(FRAME_FIGURES) do
    cells[#cells + 1] = {
      name = ("%s: %s"):format(name, what), base = ("%s: %s"):format(base, what),
      figure = has_goal and (i == 2 or i == 3) and FRAME or nil,
      measure = function()
        if i == 1 then figures = { run() } end
        return figures[i]
      end,
    }
  end
end

--- The command line of bench/peers/raw_libcurl.c.
---@return string
function M.raw_libcurl(...)
  return table.concat({ pin .. environment.program("raw_libcurl"), ... }, " ")
end

--- The command line of a script of bench/ in a Lua.
---@return string
function M.lua(lua, name, ...)
  return table.concat({ environment.of(lua) .. pin .. lua, environment.script(name), ... }, " ")
end

--- The same, on all cores.
---@return string
function M.lua_on_all_cores(lua, name, ...)
  return table.concat({ environment.of(lua) .. lua, environment.script(name), ... }, " ")
end

--- The command line of bench/peers/node_fetch.mjs.
---@return string
function M.node(...)
  return table.concat({ pin .. "node", environment.script("peers/node_fetch.mjs"), ... }, " ")
end

--- The measure of a short process, 20 times a round.
---@param before string a prefix of its command line
---@param lua string? the interpreter; nil: rest is a program
---@param rest string its arguments
---@param less string? the name of an earlier cell, whose figures are subtracted
---@return fun(seen: table<string, bench.Figure>): number, number?
function M.spawn(before, lua, rest, less)
  local measure = M.command(lua and environment.of(lua) or "", before .. pin, environment.program("spawn"), "20",
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
  return "-e " .. environment.quote(chunk:format(url))
end

local known = {}

--- Whether a command line succeeds; it runs once.
---@param line string for the shell
---@return boolean
function M.works(line)
  if known[line] == nil then known[line] = environment.works(line) end
  return known[line]
end

local works = M.works

--- Adds a cell for each interpreter that is installed.
---@param cells bench.Cell[]
---@param luas string[]
---@param make fun(lua: string): bench.Cell
function M.each(cells, luas, make)
  for _, lua in ipairs(luas) do
    if works(lua .. " -e ''") then cells[#cells + 1] = make(lua) end
  end
end

--- Adds a cell for each interpreter that has the module of a peer, and reports if none has it.
---@param cells bench.Cell[]
---@param name string the peer's
---@param module string
---@param make fun(lua: string): bench.Cell
function M.each_with(cells, name, module, luas, make)
  local before = #cells
  for _, lua in ipairs(luas) do
    if works(("%s -e 'require \"%s\"'"):format(lua, module)) then cells[#cells + 1] = make(lua) end
  end
  if #cells == before then print(name .. " is not installed, so it is not measured") end
end

--- Adds Node's cell, or reports that there is no Node.
---@param cells bench.Cell[]
---@param cell bench.Cell
function M.with_node(cells, cell)
  if works("node -e 'if (!globalThis.fetch) process.exit(1)'") then cells[#cells + 1] = cell
  else print("Node with fetch is not installed, so it is not measured") end
end

--- Values that the rows share. Each is made at its first use.
---@param folder string
---@param start_server fun(arguments?: string, prefix?: string): string
function M.new_shared(folder, start_server)
  local makers = {}

  --- A file with the head of the client's own request: the peers send the same headers.
  local function head(name, ...)
    local path = environment.quote(("%s/%s.head"):format(folder, name))
    environment.output((M.lua("lua5.4", "client.lua", ...):gsub("URL", start_server("--head " .. path))))
    return path
  end

  function makers.folder() return folder end

  function makers.me_head() return head("me", "calls URL 1 0") end

  function makers.upload_head(shared) return head("upload", "upload URL -", shared.images) end

  --- Five files of the largest size that the client takes, JPEG by their first bytes.
  function makers.images()
    local paths = {}
    for i = 1, 5 do
      local path = ("%s/image%d.jpg"):format(folder, i)
      local file = assert(io.open(path, "wb"))
      assert(file:write("\xff\xd8\xff\xe0", ("content "):rep(10 * 1024 * 1024 // 8 - 1), "cont"))
      assert(file:close())
      paths[i] = environment.quote(path)
    end
    return table.concat(paths, " ")
  end

  function makers.download_path() return environment.quote(folder .. "/download.jpg") end

  --- A certificate for 127.0.0.1, alone in its folder.
  function makers.certificate()
    environment.output(("mkdir %s/trust && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=devkit4ai-bench"
      .. " -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/trust/server.pem 2>&1")
      :format(folder, folder, folder))
    return folder .. "/trust/server.pem"
  end

  function makers.tls(shared) return ("--tls %s %s/key.pem"):format(shared.certificate, folder) end

  --- A copy of the system's roots with the certificate among them, in the bundle and in the hashed directory.
  function makers.roots(shared)
    local roots = folder .. "/roots"
    environment.output(([[cp -a /etc/ssl/certs ROOTS && cat CERTIFICATE >>ROOTS/ca-certificates.crt
      cp CERTIFICATE ROOTS/$(openssl x509 -hash -noout -in CERTIFICATE).0]])
      :gsub("%u+", { ROOTS = roots, CERTIFICATE = shared.certificate }))
    return roots
  end

  --- A prefix of a command line that mounts those roots at the system's path, so that each program's own defaults are
  --- measured. False if this machine allows no mount namespace.
  function makers.trusting(shared)
    for _, unshare in ipairs { "unshare -m", "unshare -rm" } do
      local before = ([[%s sh -c 'mount --bind %s /etc/ssl/certs && exec "$@"' sh ]]):format(unshare, shared.roots)
      if environment.works(before .. "true") then return before end
    end
    return false
  end

  return setmetatable({}, { __index = function(shared, name)
    shared[name] = makers[name](shared)
    return shared[name]
  end })
end

return M
