--- Environment of a benchmark: a temporary folder, servers in their own processes, commands that must succeed.
local M = {}

local root = arg[0]:match("^(.*)/bench/[^/]*$") or arg[0]:match("^(.*)/spec/tools/gates/[^/]*$") or "."

--- The built programs and the built client.
M.build = os.getenv("BENCH_BUILD") or root .. "/build"

--- Quotes an argument for the shell.
---@param text string
---@return string
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a command line and returns its output; raises if the command fails.
---@param line string for the shell
---@return string
function M.output(line)
  local pipe = assert(io.popen(line))
  local printed = pipe:read("a")
  local ok, _, code = pipe:close()
  if not ok then error(("status %d from: %s"):format(code, line), 2) end
  return (printed:gsub("%s+$", ""))
end

--- Whether a command line succeeds. Its output is discarded.
---@param line string for the shell
---@return boolean
function M.works(line)
  return os.execute("{ " .. line .. "; } >/dev/null 2>&1") == true
end

--- The path of a program of bench/, quoted for the shell.
---@param name string
---@return string
function M.program(name)
  return M.quote(M.build .. "/bench/" .. name)
end

--- The path of a script of bench/, quoted for the shell.
---@param name string
---@return string
function M.script(name)
  return M.quote(root .. "/bench/" .. name)
end

local environments = {}

-- Variables that change the defaults of the client.
local UNSET = "LUA_PATH_5_4 LUA_CPATH_5_4 CURL_CA_BUNDLE SSL_CERT_FILE https_proxy HTTPS_PROXY all_proxy ALL_PROXY"
  .. " DEVKIT4AI_LOG"

--- A prefix of a command line, so that its Lua finds the built client: the paths of build/run, without its shell.
---@param lua string the interpreter
---@return string
function M.of(lua)
  if not environments[lua] then
    local path, cpath = M.output(("%s %s -e 'print(package.path) print(package.cpath)'")
      :format(M.quote(M.build .. "/run"), lua)):match("^(.-)\n(.*)$")
    environments[lua] = ("env %s LUA_PATH=%s LUA_CPATH=%s ")
      :format((UNSET:gsub("%S+", "-u %0")), M.quote(path), M.quote(cpath))
  end
  return environments[lua]
end

local function cores()
  for line in io.lines("/proc/self/status") do
    local first, last = line:match("^Cpus_allowed_list:%s*(%d+).-(%d*)$")
    if first then return first, last ~= "" and last or first end
  end
end

--- A prefix of a command line that pins it to one core: the last that this process may use.
---@return string
function M.pin()
  local _, last = cores()
  return "taskset -c " .. last .. " "
end

--- The same for a server on another core than the client: the first core.
---@return string
function M.pin_apart()
  return "taskset -c " .. cores() .. " "
end

--- Runs fn(folder, start_server) with a temporary folder, on the disk of the build because /tmp may be in memory. At the end,
--- and after an error, it stops the servers and removes the folder.
---@param fn fun(folder: string, start_server: fun(arguments?: string, prefix?: string): string)
function M.run(fn)
  local folder, servers = M.output("mktemp -d " .. M.quote(M.build .. "/bench.XXXXXX")), {}
  local function start_server(arguments, prefix)
    local fifo = ("%s/server%d"):format(folder, #servers + 1)
    M.output("mkfifo " .. M.quote(fifo))
    -- popen opens one direction only: the server ends at the end of its input, and writes its port to the fifo
    local line = ("exec %s%s %s >%s"):format(prefix or "", M.program("server"), arguments or "", M.quote(fifo))
    servers[#servers + 1] = assert(io.popen(line, "w"))
    local port = assert(io.open(fifo)):read("l")
    if not port then error("no server from: " .. line, 2) end
    return ((arguments or ""):find("--tls", 1, true) and "https://127.0.0.1:" or "http://127.0.0.1:") .. port
  end
  local ok, why = xpcall(fn, debug.traceback, folder, start_server)
  for _, server in ipairs(servers) do server:close() end
  M.output("rm -rf " .. M.quote(folder))
  if not ok then error(why, 0) end
end

return M
