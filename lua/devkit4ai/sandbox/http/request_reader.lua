--- HTTP/1.1 as a server reads and writes it. The reader pulls bytes through a function, so that a socket or a
--- spec that hands over one byte at a time can feed it; nothing here knows sockets.
local M = {}

M.HEAD_LIMIT = 64 * 1024 -- bytes of request line and headers
local LINE_LIMIT = 4096 -- bytes of a chunk's size line or of one trailer
local SIZE_DIGITS = 12 -- of a chunk's size
local REASONS = {
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content",
  [301] = "Moved Permanently", [302] = "Found", [303] = "See Other", [304] = "Not Modified",
  [307] = "Temporary Redirect", [308] = "Permanent Redirect",
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [408] = "Request Timeout", [409] = "Conflict", [411] = "Length Required",
  [413] = "Content Too Large", [415] = "Unsupported Media Type", [422] = "Unprocessable Entity",
  [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error", [501] = "Not Implemented", [502] = "Bad Gateway", [503] = "Service Unavailable",
  [504] = "Gateway Timeout", [505] = "HTTP Version Not Supported",
}
local NAME = "^([%w!#$%%&'*+%-.^_`|~]+):[ \t]*"
local FIELD = NAME .. "(%C*)\r\n()" -- a class alone is quicker than a set
local TABBED = NAME .. "([^%z\1-\8\10-\31\127]*)\r\n()" -- the one control character that a value may have
local SPACES = { [32] = true, [9] = true }

---@class devkit4ai.sandbox.Request
---@field method string
---@field path string  without the query
---@field query string  as sent, empty where there is none
---@field headers table<string, string>  lower-case names; a repeated one joined with commas
---@field keep_alive boolean
---@field peer string  address of the other side
---@field watch fun(bytes: string)?  sees the body's bytes as they are read
---@field package reader table
local Request = {}
Request.__index = Request

local Reader = {}
Reader.__index = Reader

--- A reader of requests.
---@param more fun(): string? the next bytes, nil at the end
---@param say fun(bytes: string) sends at once; used for 100 Continue
function M.reader(more, say)
  return setmetatable({ more = more, say = say, buffer = "" }, Reader)
end

function Reader:pull()
  local bytes = self.more()
  if not bytes then return false end
  self.buffer = self.buffer == "" and bytes or self.buffer .. bytes
  return true
end

-- The method, target and minor version of a request line; or nil and what is wrong with it.
local function request_line(line)
  local method, target, major, minor = line:match("^(%u+) ([^%c ]+) HTTP/(%d)%.(%d)$")
  if not method then return nil, 400, "Malformed request line" end
  if major ~= "1" then return nil, 505, "HTTP version not supported" end
  return method, target, minor
end

-- What is wrong with the beginning of a head, so that no more bytes are needed to refuse it; or nil.
local function flaw(part)
  if part:find("^[^%u\r]") or part:find("^\r[^\n]") then return 400, "Malformed request line" end
  local line = part:match("^([^\r\n]*)\r\n")
  if line then
    local method, status, reason = request_line(line)
    if not method then return status, reason end
  end
  if part:find("[^\r]\n") then return 400, "Lines end in CR LF" end
end

-- The fields of a header block whose every line ends in CR LF; nil for a malformed one.
local function head_fields(block, from)
  local fields = {}
  while from <= #block do
    local name, value, after = block:match(FIELD, from)
    if not name then name, value, after = block:match(TABBED, from) end
    if not name then return nil end
    name = name:lower()
    if SPACES[value:byte(-1)] then value = value:match("^(.-)[ \t]+$") end
    fields[name] = fields[name] and fields[name] .. ", " .. value or value
    from = after
  end
  return fields
end

-- What the body is: sets length or chunked. Both at once, or a length that is none, is how requests are smuggled.
local function frame(request)
  local headers = request.headers
  local length, encoding = headers["content-length"], headers["transfer-encoding"]
  if encoding then
    if encoding:lower() ~= "chunked" then return 501, "Transfer-Encoding is not supported" end
    if length then return 400, "Content-Length and Transfer-Encoding exclude each other" end
    request.chunked = true
  elseif length then
    if not length:find("^%d+$") or #length > 15 then return 400, "Content-Length is not a number" end
    request.length = tonumber(length)
  end
  request.unread = request.chunked or (request.length or 0) > 0
end

--- The next request, its body still unread. Nil alone: the peer is done; nil, status, reason: answer and close.
---@return devkit4ai.sandbox.Request?
---@return integer? status
---@return string? reason
function Reader:head()
  local stop
  while true do
    while self.buffer:sub(1, 2) == "\r\n" do self.buffer = self.buffer:sub(3) end -- RFC 9112, 2.2
    stop = self.buffer:find("\r\n\r\n", 1, true)
    if (stop or #self.buffer) > M.HEAD_LIMIT then return nil, 431, "Request header fields too large" end
    if stop then break end
    local status, reason = flaw(self.buffer)
    if status then return nil, status, reason end
    if not self:pull() then
      if self.buffer == "" then return nil end
      return nil, 400, "The request was cut"
    end
  end
  local block = self.buffer:sub(1, stop + 1)
  self.buffer = self.buffer:sub(stop + 4)

  local stop_of_line = block:find("\r\n", 1, true)
  local method, target, minor = request_line(block:sub(1, stop_of_line - 1))
  if not method then return nil, target, minor end
  local headers = head_fields(block, stop_of_line + 2)
  if not headers then return nil, 400, "Malformed header" end
  local host = headers.host
  if host and host:find(",", 1, true) or not host and minor ~= "0" then return nil, 400, "One Host header is needed" end
  local path, query = target:gsub("^http://[^/?]+", ""):match("^(/[^?#]*)%??([^#]*)")
  if not path then return nil, 400, "Malformed request target" end

  local connection = headers.connection and headers.connection:lower()
  local request = setmetatable({
    method = method, path = path, query = query, headers = headers, reader = self,
    keep_alive = minor ~= "0" and not (connection and connection:find("close", 1, true)),
    waits = minor ~= "0" and (headers.expect or ""):lower() == "100-continue",
  }, Request)
  local status, reason = frame(request)
  if status then return nil, status, reason end
  return request
end

-- What the beginning of each kind of line looks like. A line that can't become one is refused without more bytes.
local function is_size(part)
  local digits = part:match("^(%x*)[ \t]*$") or part:match("^(%x+)[ \t]*;")
  return digits and #digits <= SIZE_DIGITS
end

local function is_empty(part)
  return part == ""
end

local function is_trailer(part)
  return part == "" or part:find("^[%w!#$%%&'*+%-.^_`|~]+$") or part:find(NAME)
end

-- A line up to its CR LF, without it; nil where it is cut, too long, or not of its kind.
function Reader:line(fits)
  while true do
    local stop = self.buffer:find("\r\n", 1, true)
    local line = stop and self.buffer:sub(1, stop - 1) or self.buffer:match("^(.-)\r?$")
    if #line > LINE_LIMIT or line:find("[\r\n]") or not fits(line) then return nil end
    if stop then
      self.buffer = self.buffer:sub(stop + 2)
      return line
    end
    if not self:pull() then return nil end
  end
end

-- At most n bytes, whatever has come already; nil at the end.
function Reader:some(n)
  if self.buffer == "" and not self:pull() then return nil end
  local bytes = self.buffer
  if #bytes <= n then
    self.buffer = ""
    return bytes
  end
  self.buffer = bytes:sub(n + 1)
  return bytes:sub(1, n)
end

--- The body's next bytes; nil at its end; nil, status, reason where it is broken or longer than the limit.
---@param limit integer bytes the whole body may have
---@return string? bytes
---@return integer? status
---@return string? reason
function Request:read(limit)
  if not self.unread then return nil end
  local reader = self.reader
  if (self.length or 0) > limit then return nil, 413, "Request body too large" end
  if self.waits then
    self.waits = false
    if reader.buffer == "" then reader.say("HTTP/1.1 100 Continue\r\n\r\n") end
  end
  if self.chunked and not self.left then
    local size = (reader:line(is_size) or ""):match("^%x+")
    if not size then return self:broken() end
    self.left = tonumber(size, 16)
    if self.left == 0 then return self:trailers() end
  end
  self.left = self.left or self.length
  self.taken = self.taken or 0
  local bytes = reader:some(self.left)
  if not bytes then return self:broken() end
  self.left, self.taken = self.left - #bytes, self.taken + #bytes
  if self.watch then self.watch(bytes) end
  if self.taken > limit then return nil, 413, "Request body too large" end
  if self.left == 0 then
    if self.chunked then
      if reader:line(is_empty) ~= "" then return self:broken() end
      self.left = nil
    else
      self.unread = false
    end
  end
  return bytes
end

function Request:broken()
  self.keep_alive = false
  return nil, 400, "The request body is malformed or cut"
end

function Request:trailers()
  repeat
    local line = self.reader:line(is_trailer)
    if not line then return self:broken() end
  until line == ""
  self.unread = false
  return nil
end

--- The whole body as one string; nil, status, reason where it is broken or longer than the limit.
---@param limit integer bytes
---@return string? body
---@return integer? status
---@return string? reason
function Request:body(limit)
  local pieces = {}
  while true do
    local bytes, status, reason = self:read(limit)
    if status then return nil, status, reason end
    if not bytes then return table.concat(pieces) end
    pieces[#pieces + 1] = bytes
  end
end

--- Reads away what the program left of the body, so that the next request begins where it should.
--- False where the connection has to close instead: a body too long or broken, or one that waits for 100 Continue.
---@param limit integer bytes
---@return boolean
function Request:drain(limit)
  if self.waits and self.unread then return false end
  while self.unread do
    local _, status = self:read(limit)
    if status then return false end
  end
  return true
end

--- Reads the whole body away, also one that waits for 100 Continue.
---@param limit integer bytes
function Request:swallow(limit)
  repeat local bytes = self:read(limit) until not bytes
end

local stamp, stamp_text -- the Date header is made once a second

local function date(now)
  now = math.floor(now)
  if now ~= stamp then
    stamp, stamp_text = now, os.date("!%a, %d %b %Y %H:%M:%S GMT", now)
  end
  return stamp_text
end

--- The words of a status.
---@param status integer
---@return string
function M.reason(status)
  return REASONS[status] or "Status " .. status
end

---@class devkit4ai.sandbox.Answer
---@field status integer
---@field body string
---@field headers string[]?  more header lines
---@field wait integer?  seconds until the next try, of a 429 (rates.lua)
---@field detail string?  of a 429
---@field content_type string?  JSON where it is absent
---@field date string?  in place of the time
---@field length integer?  a Content-Length that lies

--- The bytes of an answer.
---@param answer devkit4ai.sandbox.Answer
---@param now number Unix time
---@param keep_alive boolean
---@param headers_only boolean? for HEAD
---@return string
function M.answer(answer, now, keep_alive, headers_only)
  local status, body, content = answer.status, answer.body, ""
  if status == 204 or status == 304 then body = "" -- these have none, and say nothing of it
  else
    content = "\r\nContent-Type: " .. (answer.content_type or "application/json")
      .. "\r\nContent-Length: " .. (answer.length or #body)
  end
  local headers = answer.headers
  return "HTTP/1.1 " .. status .. " " .. (REASONS[status] or M.reason(status))
    .. "\r\nDate: " .. (answer.date or date(now)) .. content
    .. (headers and headers[1] and "\r\n" .. table.concat(headers, "\r\n") or "")
    .. (keep_alive and "\r\n\r\n" or "\r\nConnection: close\r\n\r\n")
    .. (headers_only and "" or body)
end

return M
