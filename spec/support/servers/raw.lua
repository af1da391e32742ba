-- Raw-socket server for specs: a child process (raw_server.lua, under lua5.4) for specs on each of the six
-- Luas. It needs only io.popen, temporary files and lua-cjson.
local cjson = require "cjson"

local M = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)raw%.lua$")

-- Runs the server; its standard input is a pipe from the spec. The environment of the spec's Lua (search
-- paths, a preloaded library) is removed. If it can't start, the shell writes the reason in place of the
-- address, and waits for the last line of the spec, so that the spec never writes into a broken pipe.
local COMMAND = [[
unset LD_PRELOAD LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4
lua5.4 "$program" "$base" "$kind" 2>"$base.words" || {
  [ -e "$base.log" ] || cat "$base.words" >"$base.address"
  read -r last
}]]

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

-- The beginning of the paths of the server's files, and the FIFO of its address.
local function new_base()
  local base = os.tmpname()
  assert(os.execute(("mkfifo -m 600 '%s.address'"):format(base)))
  return base
end

local ENDINGS = { "", ".address", ".script", ".words", ".log", ".released", ".certificate.pem" }

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

---@class spec.RawServer
---@field url string  http://127.0.0.1:PORT, or https://localhost:PORT
---@field port integer
---@field ca_file string?  the certificate to trust, with TLS
local Server = {}
Server.__index = Server

-- The log of the server, one JSON object per line. A later line about a request replaces the
-- earlier one: a request is logged after its head, and again when it is complete.
local function read_log(self)
  local requests, connections, failure = {}, 0, read_file(self._base .. ".words")
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
  self._pipe:write("stop\n") -- a command, because a forked process may hold the pipe open
  self._pipe:close() -- waits for the end of the server
  self._log = read_log(self)
  remove_files(self._base)
  log_of(self)
end

--- Starts a server.
---@param options table  { script: Lua source that returns function(conn, n), see raw_server.lua; tls: boolean, or
---  the fault of its certificate (certificate.lua) }
---@return spec.RawServer
function M.start(options)
  local self = setmetatable({ _base = new_base() }, Server)
  write_file(self._base .. ".script", options.script)
  local kind = options.tls == true and "tls" or options.tls and "tls-" .. options.tls or "plain"
  self._pipe = assert(io.popen(("program=%s; base=%s; kind=%s\n%s"):format(
    quote(here .. "raw_server.lua"), quote(self._base), kind, COMMAND), "w"))
  local address = read_file(self._base .. ".address")
  self.url, self.port = address:match("^(https?://[^:]+:(%d+))\n$")
  if not self.url then
    self._pipe:close()
    remove_files(self._base)
    error("the raw server did not start: " .. address, 2)
  end
  self.port = tonumber(self.port)
  if options.tls then self.ca_file = self._base .. ".certificate.pem" end
  return self
end

--- A loopback port without a listener.
---@return integer
function M.port_closed()
  return 1 -- tcpmux: only root could listen there
end

return M
