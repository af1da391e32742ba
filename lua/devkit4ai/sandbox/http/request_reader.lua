--- HTTP/1.1 request parser. It gets bytes from a function and knows no sockets, so a spec can feed it byte by byte.
local requests = require "devkit4ai.sandbox.http.request"

local M = {}

M.HEAD_LIMIT = 64 * 1024 -- bytes of request line and headers
local LINE_LIMIT = 4096 -- bytes of a chunk's size line or of one trailer
local SIZE_DIGITS = 12 -- of a chunk's size
local TOKEN = "[%w!#$%%&'*+%-.^_`|~]+" -- a header name
local NAME = "^(" .. TOKEN .. "):[ \t]*"
local HEADER = NAME .. "(%C*)\r\n()" -- the class %C is faster than the set below
local HEADER_WITH_TABS = NAME .. "([^%z\1-\8\10-\31\127]*)\r\n()" -- tabs are the one allowed control character
local SPACES = { [32] = true, [9] = true }

---@class devkit4ai.sandbox.RequestReader
---@field private _receive fun(): string?
---@field private _send fun(bytes: string)
---@field private _peer string?
---@field private _buffer string  bytes that were received and not read
local Reader = {}
Reader.__index = Reader

--- A reader of the requests of one connection.
---@param receive fun(): string? the next bytes; nil at the end
---@param send fun(bytes: string) sends at once; used for 100 Continue
---@param peer string? the client's address
---@return devkit4ai.sandbox.RequestReader
function M.new(receive, send, peer)
  return setmetatable({ _receive = receive, _send = send, _peer = peer, _buffer = "" }, Reader)
end

function Reader:_fill()
  local bytes = self._receive()
  if not bytes then return false end
  self._buffer = self._buffer == "" and bytes or self._buffer .. bytes
  return true
end

-- The method, target and minor version of a request line; or nil, status, reason.
local function parse_request_line(line)
  local method, target, major, minor = line:match("^(%u+) ([^%c ]+) HTTP/(%d)%.(%d)$")
  if not method then return nil, 400, "Malformed request line" end
  if major ~= "1" then return nil, 505, "HTTP version not supported" end
  return method, target, minor
end

-- The status and reason to refuse a head that is incomplete and already malformed; nil: it may become valid.
local function check_incomplete_head(part)
  if part:find("^[^%u\r]") or part:find("^\r[^\n]") then return 400, "Malformed request line" end
  local line = part:match("^([^\r\n]*)\r\n")
  if line then
    local method, status, reason = parse_request_line(line)
    if not method then return status, reason end
  end
  if part:find("[^\r]\n") then return 400, "Lines end in CR LF" end
end

-- The headers of a block of lines that end in CR LF; nil: a line is malformed.
local function parse_headers(block, from)
  local headers = {}
  while from <= #block do
    local name, value, after = block:match(HEADER, from)
    if not name then name, value, after = block:match(HEADER_WITH_TABS, from) end
    if not name then return nil end
    name = name:lower()
    if SPACES[value:byte(-1)] then value = value:match("^(.-)[ \t]+$") end
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
    from = after
  end
  return headers
end

-- The bytes of the next head, with the CR LF of its last line. Nil: the connection has ended, or nil, status, reason.
function Reader:_read_head_block()
  while true do
    while self._buffer:sub(1, 2) == "\r\n" do self._buffer = self._buffer:sub(3) end -- RFC 9112, 2.2
    local stop = self._buffer:find("\r\n\r\n", 1, true)
    if (stop or #self._buffer) > M.HEAD_LIMIT then return nil, 431, "Request header fields too large" end
    if stop then
      local block = self._buffer:sub(1, stop + 1)
      self._buffer = self._buffer:sub(stop + 4)
      return block
    end
    local status, reason = check_incomplete_head(self._buffer)
    if status then return nil, status, reason end
    if not self:_fill() then
      if self._buffer == "" then return nil end
      return nil, 400, "The request was cut"
    end
  end
end

--- Reads the head of the next request. The body stays unread.
---@return devkit4ai.sandbox.Request? request nil alone: the client has closed the connection
---@return integer? status the request is malformed: send this status and close the connection
---@return string? reason
function Reader:read_request()
  local block, status, reason = self:_read_head_block()
  if not block then return nil, status, reason end
  local line_end = block:find("\r\n", 1, true)
  local method, target, minor = parse_request_line(block:sub(1, line_end - 1))
  if not method then return nil, target, minor end
  local headers = parse_headers(block, line_end + 2)
  if not headers then return nil, 400, "Malformed header" end
  local host, http_1_0 = headers.host, minor == "0"
  if host and host:find(",", 1, true) or not host and not http_1_0 then return nil, 400, "One Host header is needed" end
  local path, query = target:gsub("^http://[^/?]+", ""):match("^(/[^?#]*)%??([^#]*)")
  if not path then return nil, 400, "Malformed request target" end
  local head = { method = method, path = path, query = query, headers = headers, http_1_0 = http_1_0 }
  return requests.new(head, self, self._peer)
end

-- Whether the beginning of a line can become a chunk's size line, the line end of a chunk, or a trailer.
local function may_be_size(part)
  local digits = part:match("^(%x*)[ \t]*$") or part:match("^(%x+)[ \t]*;")
  return digits and #digits <= SIZE_DIGITS
end

local function may_be_empty(part)
  return part == ""
end

local function may_be_trailer(part)
  return part == "" or part:find("^" .. TOKEN .. "$") or part:find(NAME)
end

-- A line without its CR LF; nil: it is cut, too long or malformed. A malformed line is refused before its end has come.
function Reader:_read_line(may_be)
  while true do
    local stop = self._buffer:find("\r\n", 1, true)
    local line = stop and self._buffer:sub(1, stop - 1) or self._buffer:match("^(.-)\r?$")
    if #line > LINE_LIMIT or line:find("[\r\n]") or not may_be(line) then return nil end
    if stop then
      self._buffer = self._buffer:sub(stop + 2)
      return line
    end
    if not self:_fill() then return nil end
  end
end

--- Reads the size line of a chunk.
---@return integer? bytes nil: malformed or cut
function Reader:read_chunk_size()
  local digits = (self:_read_line(may_be_size) or ""):match("^%x+")
  return digits and tonumber(digits, 16)
end

--- Reads the line end after a chunk.
---@return boolean
function Reader:read_chunk_end()
  return self:_read_line(may_be_empty) ~= nil
end

--- Reads a trailer.
---@return string? line empty: the last one; nil: malformed or cut
function Reader:read_trailer()
  return self:_read_line(may_be_trailer)
end

--- Reads at most n bytes that have arrived; waits if none have.
---@param n integer
---@return string? bytes nil: the connection has ended
function Reader:read_some(n)
  if self._buffer == "" and not self:_fill() then return nil end
  local bytes = self._buffer
  if #bytes <= n then
    self._buffer = ""
    return bytes
  end
  self._buffer = bytes:sub(n + 1)
  return bytes:sub(1, n)
end

--- Sends 100 Continue, unless the client has sent a part of the body already.
function Reader:send_continue()
  if self._buffer == "" then self._send("HTTP/1.1 100 Continue\r\n\r\n") end
end

return M
