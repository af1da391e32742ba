-- Raw-socket servers for specs, in one child process (raw_server.lua, under lua5.4) for specs on each of the six Luas. It needs only
-- io.popen, a FIFO, temporary files and lua-cjson.
local cjson = require "cjson"

local M = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)raw%.lua$")

-- Runs the servers' process; its standard input is a pipe from the spec. The environment of the spec's Lua (search paths, a
-- preloaded library) is removed. If it ends with an error or by a signal, the shell, which keeps the FIFO open, writes that in place
-- of a reply. Then it reads what the spec still writes, so that the spec never writes into a broken pipe; cqueues has left the pipe
-- non-blocking, so cat may end early.
local COMMAND = [[
unset LD_PRELOAD LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4
exec 3<> "$replies"
lua5.4 "$program" "$replies" 2> "$replies.words" 3>&- || {
  echo "its process ended with status $?: $(tr '\n' ' ' < "$replies.words")" >&3
  exec 3>&-
  until cat > /dev/null 2>&1; do sleep 0.1; done
}
rm -f "$replies" "$replies.words"]]

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

local ENDINGS = { "", ".script", ".log", ".released", ".certificate.pem" }

local function remove_files(base)
  for _, ending in ipairs(ENDINGS) do os.remove(base .. ending) end
end

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("*a")
  file:close()
  return text
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

-- The number of this process.
local function process_id()
  local stat = assert(io.open("/proc/self/stat"))
  local id = stat:read("*n")
  stat:close()
  return id
end

local newproxy = rawget(_G, "newproxy") -- of Lua 5.1 and LuaJIT, which finalize userdata alone

-- An object that calls fn when it is collected.
local function finalizer(fn)
  local proxy = newproxy and newproxy(true)
  if not proxy then return setmetatable({}, { __gc = fn }) end
  getmetatable(proxy).__gc = fn
  return proxy
end

-- { pipe, replies, finalizer }, or nil before the first server. The registry has it: busted loads this module anew for each file.
local registry, PROCESS = debug.getregistry(), "spec.RawServer process"

local function start_process()
  local base, owner = os.tmpname(), process_id()
  local replies = base .. ".replies"
  assert(os.execute("mkfifo -m 600 " .. quote(replies)))
  os.remove(base)
  local program = quote(here .. "raw_server.lua")
  local pipe = assert(io.popen(("program=%s; replies=%s\n%s"):format(program, quote(replies), COMMAND), "w"))
  local process = { pipe = pipe, replies = assert(io.open(replies, "rb")) }
  process.finalizer = finalizer(function() -- the end of the pipe is not enough: a process that the spec has started may hold it open
    if process_id() ~= owner then return end
    pipe:write("end\n")
    pipe:close()
  end)
  registry[PROCESS] = process
  return process
end

-- Sends a command to the servers' process; gives the text of its reply.
local function command(line)
  local process = registry[PROCESS] or start_process()
  process.pipe:write(line, "\n")
  process.pipe:flush()
  local reply = process.replies:read("*l") or "its process has ended"
  return reply:match("^ok (.*)$") or error("the raw server failed: " .. reply, 3)
end

---@class spec.RawServer
---@field url string  http://127.0.0.1:PORT, or https://localhost:PORT
---@field port integer
---@field ca_file string?  the certificate to trust, with TLS
local Server = {}
Server.__index = Server

-- The log of the server, one JSON object per line. A later line about a request replaces the
-- earlier one: a request is logged after its head, and again when it is complete.
local function read_log(self)
  local requests, connections, failure = {}, 0, ""
  local whole = read_file(self._base .. ".log"):match("^.*\n") or "" -- without an incomplete last line
  for line in whole:gmatch("[^\n]+") do
    local entry = cjson.decode(line)
    if entry.request then
      local request = { method = entry.method, target = entry.target, head = entry.head, body = entry.body,
        sha256 = entry.sha256, complete = entry.complete,
        length = math.floor(entry.length), connection = math.floor(entry.connection) } -- integers also on 5.3 and 5.4
      requests[entry.request] = request
    elseif entry.failure then
      failure = failure .. entry.failure
    else
      connections = connections + 1
    end
  end
  return { requests = requests, connections = connections, failure = failure ~= "" and failure or nil }
end

local function log_of(self)
  local log = self._log or read_log(self)
  if log.failure then error("the raw server's script failed: " .. log.failure, 3) end
  return log
end

--- Every request with at least one received byte, in the order of arrival. When a client has its response, or saw
--- its connection closed by the script, the list has everything that the server received before.
---@return table[] requests  { connection, method, target, head, body, length, complete }: method and target once the
---  first line was read; head with its last empty line; body the bytes as they came (chunks not undone), only where
---  they are less than 1 MiB, else sha256 (hexadecimal); length always
function Server:requests()
  return log_of(self).requests
end

--- The last request.
---@return table? request
function Server:last()
  local requests = self:requests()
  return requests[#requests]
end

--- The number of accepted connections.
---@return integer
function Server:connections()
  return log_of(self).connections
end

--- Resumes all connections in conn:hold(), now and later.
function Server:release()
  write_file(self._base .. ".released", "")
end

--- Ends the server and removes its files. Safe to repeat. Raises an error if the script failed.
function Server:stop()
  if self._log then return end
  command("stop " .. self._base)
  self._log = read_log(self)
  remove_files(self._base)
  log_of(self)
end

--- Starts a server.
---@param options table  { script: Lua source that returns function(conn, n), see raw_server.lua; tls: boolean, or
---  the fault of its certificate (certificate.lua) }
---@return spec.RawServer
function M.start(options)
  local self = setmetatable({ _base = os.tmpname() }, Server)
  write_file(self._base .. ".script", options.script)
  local kind = options.tls == true and "tls" or options.tls and "tls-" .. options.tls or "plain"
  self.url = command(("start %s %s"):format(self._base, kind))
  self.port = tonumber(self.url:match("%d+$"))
  if options.tls then self.ca_file = self._base .. ".certificate.pem" end
  return self
end

--- A loopback port without a listener.
---@return integer
function M.port_closed()
  return 1 -- tcpmux: only root could listen there
end

return M
