--- Journal of the last requests and responses. It redacts secrets when a test lists the entries.
local cqueues = require "cqueues"
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.util.encoding"
local json = require "devkit4ai.sandbox.util.json"
local multipart = require "devkit4ai.sandbox.http.multipart"
local redact = require "devkit4ai.sandbox.control.redact"

local M = {}

local CAPACITY = 1000 -- entries
local BODY_LIMIT = 16 * 1024 -- bytes of a JSON or form body that are kept

---@class devkit4ai.sandbox.Journal
---@field private _now fun(): number
---@field private _ring devkit4ai.sandbox.JournalEntry[]  by number modulo CAPACITY
---@field private _count integer  entries so far; goes on when the journal is cleared
---@field private _cleared_at integer  the count at the last clear
local Journal = {}
Journal.__index = Journal

---@class devkit4ai.sandbox.JournalEntry one request and its response
---@field number integer
---@field time number  Unix time
---@field started number  on the monotonic clock
---@field operation string?
---@field method string
---@field path string
---@field query string
---@field headers table<string, string>
---@field fault devkit4ai.sandbox.Fault?
---@field body_bytes integer?  read so far; nil: the request has no body
---@field parts table[]?  of a multipart body: name, filename, bytes, hash; later sha256
---@field pieces string[]?  of another body, while it is short enough
---@field body any  the redacted body, once it is complete
---@field status integer?  nil: nothing was sent yet
---@field bytes integer  of the response, with its head
---@field seconds number?  until the response was sent; nil: it is not
---@field generation_id string?

---@param now fun(): number Unix time
---@return devkit4ai.sandbox.Journal
function M.new(now)
  return setmetatable({ _now = now, _ring = {}, _count = 0, _cleared_at = 0 }, Journal)
end

-- Records the parts of a multipart body: names, sizes and hashes.
local function part_recorder(entry, boundary)
  entry.parts = {}
  local valid = true
  local parser = multipart.parser(boundary, function(part)
    local record = { name = part.name, filename = part.filename, bytes = 0, hash = digest.new("sha256") }
    entry.parts[#entry.parts + 1] = record
    return function(bytes)
      record.bytes = record.bytes + #bytes
      record.hash:update(bytes)
    end
  end)
  return function(bytes)
    entry.body_bytes = entry.body_bytes + #bytes
    valid = valid and parser:feed(bytes)
  end
end

-- Records a body of another type, up to the limit.
local function text_recorder(entry)
  entry.pieces = {}
  return function(bytes)
    entry.body_bytes = entry.body_bytes + #bytes
    if entry.body_bytes <= BODY_LIMIT then entry.pieces[#entry.pieces + 1] = bytes else entry.pieces = {} end
  end
end

--- Begins the entry of a request, after its head was read.
---@param request devkit4ai.sandbox.Request
---@param operation string?
---@param fault devkit4ai.sandbox.Fault?
---@return devkit4ai.sandbox.JournalEntry
function Journal:begin_entry(request, operation, fault)
  self._count = self._count + 1
  local entry = {
    number = self._count, time = self._now(), started = cqueues.monotime(), operation = operation,
    method = request.method, path = request.path, query = request.query, headers = request.headers, fault = fault,
    bytes = 0,
  }
  if request:has_unread_body() then
    entry.body_bytes = 0
    local boundary = multipart.boundary(request.headers["content-type"])
    request:observe_body(boundary and part_recorder(entry, boundary) or text_recorder(entry))
  end
  self._ring[self._count % CAPACITY] = entry
  return entry
end

--- Ends an entry.
---@param entry devkit4ai.sandbox.JournalEntry
---@param response devkit4ai.sandbox.Response
---@param bytes integer of the response that were sent, with its head
function Journal:end_entry(entry, response, bytes) -- luacheck: no self
  if bytes > 0 then entry.status = response.status end
  entry.bytes, entry.seconds = bytes, cqueues.monotime() - entry.started
  entry.generation_id = response.generation and response.generation.id
end

-- The parts as they are listed. A hash is finished once, when the body is complete.
local function parts_record(parts, complete)
  local list = {}
  for i, part in ipairs(parts) do
    part.sha256 = part.sha256 or complete and encoding.hex(part.hash:final()) or nil
    list[i] = { name = part.name, filename = part.filename, bytes = part.bytes, sha256 = part.sha256 }
  end
  return json.array(list)
end

-- A redacted body, if it is JSON or a form. Its Content-Type may be wrong; in other formats secrets can't be found.
local function redacted_body(text)
  if text:find("^[ \t\r\n]*[%[{]") then return json.raw(text, redact.json_value) end
  if text:find("^[%w_]+=[^{\"]*$") then return redact.query_string(text) end
end

-- The body as it is listed. It is redacted once, when it is complete.
local function body_record(entry)
  if entry.pieces and entry.seconds then
    entry.body, entry.pieces = redacted_body(table.concat(entry.pieces)), nil
  end
  return entry.pieces and redacted_body(table.concat(entry.pieces)) or entry.body
end

local function to_milliseconds(seconds)
  return seconds and math.floor(seconds * 1000 + 0.5) / 1000
end

-- An entry as it is listed, without secrets.
local function to_record(entry)
  return {
    n = entry.number, time = to_milliseconds(entry.time), operation = entry.operation, method = entry.method,
    path = entry.path, query = redact.query_string(entry.query), headers = redact.headers(entry.headers),
    parts = entry.parts and parts_record(entry.parts, entry.seconds), body_bytes = entry.body_bytes,
    body = body_record(entry),
    status = entry.status, bytes = entry.bytes, seconds = to_milliseconds(entry.seconds), fault = entry.fault,
    generation_id = entry.generation_id,
  }
end

--- The entries as records for JSON, oldest first.
---@return table[]
function Journal:list()
  local list = {}
  for number = math.max(self._cleared_at, self._count - CAPACITY) + 1, self._count do
    list[#list + 1] = to_record(self._ring[number % CAPACITY])
  end
  return list
end

--- Removes the entries. The numbers go on.
function Journal:clear()
  self._ring, self._cleared_at = {}, self._count
end

return M
