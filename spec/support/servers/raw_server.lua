-- Process of a spec's raw-socket servers, run by raw.lua: lua5.4 raw_server.lua REPLIES. A line of its standard input is a command:
--   start BASE plain|tls[-FAULT]    starts a server; BASE.script is its script, and it adds BASE.log
--   stop BASE                       ends it, with its connections
--   end                             ends the process
-- To a start and a stop it writes one line into the FIFO REPLIES: `ok` and the server's address, or the reason of a failure. It ends
-- with its standard input, too.
package.path = arg[0]:match("^(.*)raw_server%.lua$") .. "?.lua;" .. package.path

local cjson = require "cjson"
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local signal = require "cqueues.signal"
local socket = require "cqueues.socket"
local digest = require "openssl.digest"

signal.ignore(signal.SIGPIPE) -- a client may close its connection at any time; where TLS writes, cqueues does not prevent it

local KEPT = 1024 * 1024 -- bytes; for a longer body the log has the length and the SHA-256

local servers = {} -- by base: { base, log, listener, context, handler, loop, stop, ended, connections, sockets, requests }

local function note(server, entry)
  server.log:write(cjson.encode(entry), "\n")
  server.log:flush()
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- An accepted connection, for the script.
local Connection = {}
Connection.__index = Connection

-- Adds bytes to the current request, which has a number from its first byte on.
local function arrived(self, bytes)
  local request = self.request
  if not request then
    self.server.requests = self.server.requests + 1
    request = { number = self.server.requests, pieces = {}, length = 0 }
    self.request = request
  end
  request.pieces[#request.pieces + 1] = bytes
  request.length = request.length + #bytes
  request.noted = false
end

-- Logs the current request, as far as it was received.
local function note_request(self, complete)
  local request = self.request
  if not request or request.noted and not complete then return end
  request.noted = true
  local bytes = table.concat(request.pieces)
  request.pieces = { bytes }
  local head_end = select(2, bytes:find("\r\n\r\n", 1, true)) or #bytes
  local method, target = bytes:match("^(%S+) (%S+) [^\r\n]*\r\n")
  local body = bytes:sub(head_end + 1)
  local big = #body >= KEPT
  note(self.server, {
    request = request.number, connection = self.number, complete = complete, method = method, target = target,
    head = bytes:sub(1, head_end), length = #body,
    body = not big and body or nil, sha256 = big and hex(digest.new("sha256"):final(body)) or nil,
  })
  if complete then self.request = nil end
  return { method = method, target = target, head = bytes:sub(1, head_end), body = body }
end

--- Reads n bytes, or fewer at the end of the stream; they belong to the current request.
function Connection:read(n)
  local pieces = {}
  while n > 0 do
    local bytes = self.socket:read(-math.min(n, 65536)) -- a negative count: at most this many, as soon as some arrive
    if not bytes then break end
    arrived(self, bytes)
    pieces[#pieces + 1] = bytes
    n = n - #bytes
  end
  return table.concat(pieces)
end

-- Reads one line with its line end; nil if the stream ends first.
local function read_line(self)
  local line = self.socket:read("*L")
  if line then arrived(self, line) end
  return line and line:sub(-1) == "\n" and line or nil
end

local function read_chunks(self)
  repeat
    local line = read_line(self)
    local size = line and tonumber(line:match("^%x+"), 16)
    if not size or #self:read(size) < size or not read_line(self) then return false end
  until size == 0
  return true
end

--- Reads only the head of a request. The body can follow with `read_body`, in pieces with `read`, or not at all.
---@return string? head  with its last empty line; nil at the end of the stream, also within the head
function Connection:read_head()
  local lines = {}
  repeat
    local line = read_line(self)
    if not line then return note_request(self, false) and nil end
    lines[#lines + 1] = line
  until line == "\r\n"
  note_request(self, false)
  self.head = table.concat(lines)
  return self.head
end

--- Reads the body of the current request. With `conn.expect = true`, it first responds to `Expect: 100-continue`.
---@return table? request  { method, target, head, body }; nil if the stream ends before the body does
function Connection:read_body()
  local fields = self.head:lower()
  if self.expect and fields:find("\r\nexpect: 100-continue\r\n", 1, true) then
    self.socket:write("HTTP/1.1 100 Continue\r\n\r\n")
  end
  local whole
  if fields:find("\r\ntransfer%-encoding: *chunked\r\n") then
    whole = read_chunks(self)
  else
    local length = tonumber(fields:match("\r\ncontent%-length: *(%d+)\r\n") or 0)
    whole = #self:read(length) == length
  end
  local request = note_request(self, whole)
  return whole and request or nil
end

--- Reads a complete request: head and body.
---@return table? request  { method, target, head, body }; nil at the end of the stream, also within a request
function Connection:read_request()
  return self:read_head() and self:read_body()
end

--- Writes bytes unchanged. Logs first what it has read so far.
---@return boolean written  false: the peer has closed the connection
function Connection:write(bytes)
  note_request(self, false)
  return self.socket:write(bytes) ~= nil
end

--- Sends a response with a correct Content-Length, as JSON by default; the connection stays open.
---@param status integer
---@param body string|table  a table is encoded
---@param headers table?  name -> value
function Connection:respond(status, body, headers)
  body = type(body) == "table" and cjson.encode(body) or body
  local lines = { ("HTTP/1.1 %d Status"):format(status), "Content-Length: " .. #body }
  local fields = { ["Content-Type"] = "application/json" }
  for name, value in pairs(headers or {}) do fields[name] = value end
  for name, value in pairs(fields) do lines[#lines + 1] = name .. ": " .. value end
  return self:write(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
end

--- Serves other connections for some seconds.
function Connection:sleep(seconds) -- luacheck: no self
  cqueues.sleep(seconds)
end

--- Serves other connections until the spec calls server:release().
function Connection:hold()
  local mark
  repeat
    cqueues.sleep(0.005)
    mark = io.open(self.server.base .. ".released")
  until mark
  mark:close()
end

--- Closes the connection in the normal way (with a TLS close notification).
function Connection:close()
  note_request(self, false)
  self.socket:close()
end

--- Resets the connection: the peer loses data in transit.
function Connection:reset()
  note_request(self, false)
  local tcp = require("socket").tcp()
  tcp:setfd(self.socket:pollfd()) -- cqueues can't set SO_LINGER; LuaSocket can, on a borrowed descriptor
  assert(tcp:setoption("linger", { on = true, timeout = 0 }))
  tcp:setfd(-1)
  self.socket:close()
end

local function serve(connection)
  local server = connection.server
  if server.context and not connection.socket:starttls(server.context) then return end -- the client rejected the certificate
  local ran, reason = xpcall(server.handler, debug.traceback, connection, connection.number)
  if not ran then note(server, { failure = reason }) end
  connection:close()
end

local function tls_context(base, fault)
  local certificate, key = require("certificate").new(fault)
  local pem = assert(io.open(base .. ".certificate.pem", "wb"))
  pem:write(certificate:toPEM())
  pem:close()
  local context = require("openssl.ssl.context").new("TLS", true)
  context:setCertificate(certificate)
  context:setPrivateKey(key)
  return context
end

local function accept_clients(server)
  for client in server.listener:clients() do
    server.connections = server.connections + 1
    note(server, { connection = server.connections })
    client:setmode("bn", "bn") -- binary, without buffering
    client:setmaxline(128 * 1024)
    client:onerror(function(_, _, reason) return reason end)
    server.sockets[#server.sockets + 1] = client
    local connection = setmetatable({ socket = client, number = server.connections, server = server }, Connection)
    server.loop:wrap(function() serve(connection) end)
  end
end

-- Runs a server until it is stopped. Its script's coroutines are its own loop's, and end with it: until then they may use the
-- server's log and sockets. (A stop can come while step, too, waits: it yields before it runs them.)
local function run(server)
  server.loop:wrap(accept_clients, server)
  repeat
    cqueues.poll(server.loop, server.stop)
    local _, reason = server.loop:step(0)
    if reason then note(server, { failure = tostring(reason) }) end -- the spec reads it after the stop
  until not servers[server.base]
  server.loop:close() -- its two descriptors are not left to the garbage collector
  server.listener:close()
  for _, client in ipairs(server.sockets) do client:close() end
  server.log:close()
  server.ended:signal()
end

local commands = {}

function commands.start(base, kind)
  local server = { base = base, connections = 0, requests = 0, sockets = {} }
  server.loop, server.stop, server.ended = cqueues.new(), condition.new(), condition.new()
  server.handler = assert(loadfile(base .. ".script", "t", setmetatable({}, { __index = _G })))()
  server.log = assert(io.open(base .. ".log", "wb"))
  server.log:setvbuf("full", 8 * KEPT) -- one write per line
  server.context = kind ~= "plain" and tls_context(base, kind:match "^tls%-(.+)$") or nil
  server.listener = assert(socket.listen { host = "127.0.0.1", port = 0, nodelay = true })
  server.listener:listen()
  servers[base] = server
  cqueues.running():wrap(run, server)
  local _, _, port = server.listener:localname()
  return (server.context and "https://localhost:" or "http://127.0.0.1:") .. port
end

function commands.stop(base)
  local server = servers[base]
  servers[base] = nil
  server.stop:signal()
  server.ended:wait()
  return base
end

local function remove_files()
  for base in pairs(servers) do os.execute("rm -f '" .. base .. "' '" .. base .. "'.*") end
end

local function answer_commands(replies)
  for line in socket.fdopen(0):lines() do
    if line == "end" then break end
    local name, base, kind = line:match("^(%S+) (%S+) ?(%S*)$")
    local ran, reply = pcall(commands[name], base, kind)
    replies:write((((ran and "ok " or "") .. reply):gsub("\n", " ")), "\n")
    replies:flush()
  end
  remove_files() -- where the spec's process has ended without a stop
  os.exit(0)
end

local replies = assert(io.open(arg[1], "r+")) -- also for reading: an open for writing alone waits for the reader
local loop = cqueues.new()
loop:wrap(answer_commands, replies)
assert(loop:loop())
