-- The raw-socket server's process, run by raw.lua: lua5.4 raw_server.lua FOLDER plain|tls. The folder holds the script
-- and the pipe `address`; the server adds its `log`. It ends at the first line, or the end, of its standard input.
package.path = arg[0]:match("^(.*)raw_server%.lua$") .. "?.lua;" .. package.path

local cjson = require "cjson"
local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local digest = require "openssl.digest"

local folder, kind = arg[1], arg[2]
local KEPT = 1024 * 1024 -- bytes; of a longer body the log has the length and the SHA-256

local handler = assert(loadfile(folder .. "/script", "t"))()
local log = assert(io.open(folder .. "/log", "wb"))
log:setvbuf("full", 8 * KEPT) -- a line is one write
local requests_seen = 0

local function note(entry)
  log:write(cjson.encode(entry), "\n")
  log:flush()
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- What a script talks to: one accepted connection.
local Connection = {}
Connection.__index = Connection

-- The request that is being read: all its bytes so far. It is known by a number from its first byte on.
local function arrived(self, bytes)
  local request = self.request
  if not request then
    requests_seen = requests_seen + 1
    request = { number = requests_seen, pieces = {}, length = 0 }
    self.request = request
  end
  request.pieces[#request.pieces + 1] = bytes
  request.length = request.length + #bytes
  request.noted = false
end

-- Takes note of the request being read, as far as it came.
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
  note {
    request = request.number, connection = self.number, complete = complete, method = method, target = target,
    head = bytes:sub(1, head_end), length = #body,
    body = not big and body or nil, sha256 = big and hex(digest.new("sha256"):final(body)) or nil,
  }
  if complete then self.request = nil end
  return { method = method, target = target, head = bytes:sub(1, head_end), body = body }
end

--- Reads n bytes, or what comes before the stream's end; they count as part of the request being read.
function Connection:read(n)
  local pieces = {}
  while n > 0 do
    local bytes = self.socket:read(-math.min(n, 65536)) -- a negative count: at most so many, as soon as some are there
    if not bytes then break end
    arrived(self, bytes)
    pieces[#pieces + 1] = bytes
    n = n - #bytes
  end
  return table.concat(pieces)
end

-- Reads one line with its end; nil if the stream ends first.
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

--- Reads a request's head alone; its body can then be read with `read_body`, or in pieces with `read`, or be left.
---@return string? head  with its last empty line; nil at the stream's end, also in the middle of it
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

--- Reads the body of the request whose head was read. With `conn.expect = true`, an `Expect: 100-continue` is answered
--- first.
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

--- Reads a whole request: its head and its body.
---@return table? request  { method, target, head, body }; nil at the stream's end, also in the middle of a request
function Connection:read_request()
  return self:read_head() and self:read_body()
end

--- Writes bytes as they are. What was read so far is in the log first.
---@return boolean written  false: the other side is gone
function Connection:write(bytes)
  note_request(self, false)
  return self.socket:write(bytes) ~= nil
end

--- Answers with a correct Content-Length, as JSON unless headers say otherwise; the connection stays open.
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

--- Lets other connections go on for some seconds.
function Connection:sleep(seconds) -- luacheck: no self
  cqueues.sleep(seconds)
end

--- Lets other connections go on until the spec calls server:release().
function Connection:hold() -- luacheck: no self
  local mark
  repeat
    cqueues.sleep(0.005)
    mark = io.open(folder .. "/released")
  until mark
  mark:close()
end

--- Closes as a well-behaved server does (TLS says goodbye).
function Connection:close()
  note_request(self, false)
  self.socket:close()
end

--- Closes with a reset: what is still on its way is lost to the other side.
function Connection:reset()
  note_request(self, false)
  local tcp = require("socket").tcp()
  tcp:setfd(self.socket:pollfd()) -- cqueues can't set SO_LINGER, LuaSocket can: on a descriptor lent to it
  assert(tcp:setoption("linger", { on = true, timeout = 0 }))
  tcp:setfd(-1)
  self.socket:close()
end

local function serve(connection, context)
  if context and not connection.socket:starttls(context) then return end -- the client did not like the certificate
  local ran, reason = xpcall(handler, debug.traceback, connection, connection.number)
  if not ran then note { failure = reason } end
  connection:close()
end

local function tls_context()
  local certificate, key = require("certificate").new()
  local pem = assert(io.open(folder .. "/certificate.pem", "wb"))
  pem:write(certificate:toPEM())
  pem:close()
  local context = require("openssl.ssl.context").new("TLS", true)
  context:setCertificate(certificate)
  context:setPrivateKey(key)
  return context
end

local context = kind == "tls" and tls_context() or nil
local server = assert(socket.listen { host = "127.0.0.1", port = 0, nodelay = true })
server:listen()

local loop = cqueues.new()
loop:wrap(function()
  local number = 0
  for client in server:clients() do
    number = number + 1
    note { connection = number }
    client:setmode("bn", "bn") -- bytes as they are, each write at once
    client:setmaxline(128 * 1024)
    client:onerror(function(_, _, reason) return reason end)
    local connection = setmetatable({ socket = client, number = number }, Connection)
    loop:wrap(function() serve(connection, context) end)
  end
end)
loop:wrap(function()
  local line = socket.fdopen(0):read("*l")
  if not line then os.execute("rm -rf '" .. folder .. "'") end -- the spec's process is gone: nobody else will
  os.exit(0)
end)

local address = assert(io.open(folder .. "/address", "w"))
local _, _, port = server:localname()
address:write(context and "https://localhost:" or "http://127.0.0.1:", port, "\n")
address:close()
for reason in loop:errors() do note { failure = tostring(reason) } end -- the spec reads them when it stops the server
