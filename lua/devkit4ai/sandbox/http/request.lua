--- An HTTP request. Its body is read on demand, as it arrives.
local M = {}

M.DISCARD_LIMIT = 60 * 1024 * 1024 -- bytes of an unwanted body that are read, so that the connection stays usable

---@class devkit4ai.sandbox.Request
---@field method string
---@field path string  without the query
---@field query string  as sent; empty where there is none
---@field headers table<string, string>  lower-case names; the values of a repeated header are joined with commas
---@field keep_alive boolean  whether the connection can take another request after this one
---@field peer string?  the client's address
---@field private _reader devkit4ai.sandbox.RequestReader
---@field private _length integer?  the Content-Length
---@field private _chunked boolean
---@field private _expects_continue boolean  the client waits for 100 Continue
---@field private _unread boolean  a part of the body has not been read
---@field private _left integer?  bytes left of the body, or of the current chunk
---@field private _received integer  bytes of the body that were read
---@field private _observer fun(bytes: string)?
local Request = {}
Request.__index = Request

---@class devkit4ai.sandbox.RequestHead
---@field method string
---@field path string
---@field query string
---@field headers table<string, string>
---@field http_1_0 boolean

-- The status and reason to refuse headers that do not tell where the body ends; nil: they do. Requests with a length and
-- chunks are used to smuggle a second request.
local function check_framing(length, encoding)
  if encoding then
    if encoding:lower() ~= "chunked" then return 501, "Transfer-Encoding is not supported" end
    if length then return 400, "Content-Length and Transfer-Encoding exclude each other" end
  elseif length and (not length:find("^%d+$") or #length > 15) then
    return 400, "Content-Length is not a number"
  end
end

--- A request, after its head was read.
---@param head devkit4ai.sandbox.RequestHead
---@param reader devkit4ai.sandbox.RequestReader the body comes from it
---@param peer string?
---@return devkit4ai.sandbox.Request? request nil: the head does not tell where the body ends
---@return integer? status
---@return string? reason
function M.new(head, reader, peer)
  local headers = head.headers
  local length, encoding = headers["content-length"], headers["transfer-encoding"]
  local status, reason = check_framing(length, encoding)
  if status then return nil, status, reason end
  length = length and tonumber(length)
  local connection = headers.connection and headers.connection:lower()
  return setmetatable({
    method = head.method, path = head.path, query = head.query, headers = headers, peer = peer,
    keep_alive = not head.http_1_0 and not (connection and connection:find("close", 1, true)),
    _reader = reader, _length = length, _chunked = encoding ~= nil, _received = 0,
    _unread = encoding ~= nil or (length or 0) > 0,
    _expects_continue = not head.http_1_0 and (headers.expect or ""):lower() == "100-continue",
  }, Request)
end

--- Tells whether a part of the body has not been read.
---@return boolean
function Request:has_unread_body()
  return self._unread
end

--- Calls a function with each piece of the body that is read from now on.
---@param observer fun(bytes: string)
function Request:observe_body(observer)
  self._observer = observer
end

function Request:_fail()
  self.keep_alive = false
  return nil, 400, "The request body is malformed or cut"
end

function Request:_read_trailers()
  repeat
    local line = self._reader:read_trailer()
    if not line then return self:_fail() end
  until line == ""
  self._unread = false
  return nil
end

--- Reads the next bytes of the body.
---@param limit integer bytes that the whole body may have
---@return string? bytes nil: the body has ended, or a status follows
---@return integer? status the body is malformed, or longer than the limit
---@return string? reason
function Request:read(limit)
  if not self._unread then return nil end
  local reader = self._reader
  if (self._length or 0) > limit then return nil, 413, "Request body too large" end
  if self._expects_continue then
    self._expects_continue = false
    reader:send_continue()
  end
  if self._chunked and not self._left then
    self._left = reader:read_chunk_size()
    if not self._left then return self:_fail() end
    if self._left == 0 then return self:_read_trailers() end
  end
  self._left = self._left or self._length
  local bytes = reader:read_some(self._left)
  if not bytes then return self:_fail() end
  self._left, self._received = self._left - #bytes, self._received + #bytes
  if self._observer then self._observer(bytes) end
  if self._received > limit then return nil, 413, "Request body too large" end
  if self._left == 0 then
    if self._chunked then
      if not reader:read_chunk_end() then return self:_fail() end
      self._left = nil
    else
      self._unread = false
    end
  end
  return bytes
end

--- Reads the whole body.
---@param limit integer bytes
---@return string? body
---@return integer? status the body is malformed, or longer than the limit
---@return string? reason
function Request:read_all(limit)
  local pieces = {}
  while true do
    local bytes, status, reason = self:read(limit)
    if status then return nil, status, reason end
    if not bytes then return table.concat(pieces) end
    pieces[#pieces + 1] = bytes
  end
end

--- Reads and drops the rest of the body, so that the next request can be read.
---@return boolean done false: close the connection; the body is malformed, too long, or waits for 100 Continue
function Request:drain()
  if self._expects_continue and self._unread then return false end
  while self._unread do
    local _, status = self:read(M.DISCARD_LIMIT)
    if status then return false end
  end
  return true
end

--- Reads and drops the whole body, also one that waits for 100 Continue.
function Request:discard()
  repeat local bytes = self:read(M.DISCARD_LIMIT) until not bytes
end

return M
