--- The last exchanges, for a test to look at. What came is kept as it came and masked when it is shown; of a body
--- no more is kept than can be shown.
local cqueues = require "cqueues"
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.util.encoding"
local json = require "devkit4ai.sandbox.util.json"
local masks = require "devkit4ai.sandbox.control.redact"
local multipart = require "devkit4ai.sandbox.http.multipart"

local M = {}
local Journal = {}
Journal.__index = Journal

local KEPT = 1000 -- exchanges
local BODY_KEPT = 16 * 1024 -- bytes of a JSON or form body

---@param clock fun(): number Unix time
function M.new(clock)
  return setmetatable({ clock = clock, slots = {}, count = 0, from = 0 }, Journal)
end

-- Takes a multipart body as it is read: of each part the name, the file's name, the size and the hash.
local function watch_parts(entry, boundary)
  entry.parts = {}
  local sound = true
  local parser = multipart.parser(boundary, function(part)
    local seen = { name = part.name, filename = part.filename, bytes = 0, hash = digest.new("sha256") }
    entry.parts[#entry.parts + 1] = seen
    return function(bytes)
      seen.bytes = seen.bytes + #bytes
      seen.hash:update(bytes)
    end
  end)
  return function(bytes)
    entry.body_bytes = entry.body_bytes + #bytes
    sound = sound and parser:feed(bytes)
  end
end

local function watch_text(entry)
  entry.pieces = {}
  return function(bytes)
    entry.body_bytes = entry.body_bytes + #bytes
    if entry.body_bytes <= BODY_KEPT then entry.pieces[#entry.pieces + 1] = bytes else entry.pieces = {} end
  end
end

--- Begins the entry of a request whose head has come.
---@param request devkit4ai.sandbox.Request
---@param operation string?
---@param fault devkit4ai.sandbox.Fault?
---@return table entry
function Journal:open(request, operation, fault)
  self.count = self.count + 1
  local entry = {
    n = self.count, time = self.clock(), began = cqueues.monotime(), operation = operation, method = request.method,
    path = request.path, query = request.query, headers = request.headers, fault = fault, bytes = 0,
  }
  if request.unread then
    entry.body_bytes = 0
    local boundary = multipart.boundary(request.headers["content-type"])
    request.watch = boundary and watch_parts(entry, boundary) or watch_text(entry)
  end
  self.slots[self.count % KEPT] = entry
  return entry
end

--- Ends an entry: what was answered, as far as it went out.
---@param entry table
---@param request devkit4ai.sandbox.Request
---@param status integer
---@param bytes integer that were sent, the head with them
function Journal:close(entry, request, status, bytes) -- luacheck: no self
  if bytes > 0 then entry.status = status end
  entry.bytes, entry.seconds = bytes, cqueues.monotime() - entry.began
  entry.generation_id = request.generation and request.generation.id
end

-- The parts as they are shown; a hash is finished once, when no more can come.
local function show_parts(parts, closed)
  local list = {}
  for i, part in ipairs(parts) do
    part.sha256 = part.sha256 or closed and encoding.hex(part.hash:final()) or nil
    list[i] = { name = part.name, filename = part.filename, bytes = part.bytes, sha256 = part.sha256 }
  end
  return json.array(list)
end

-- JSON or a form, by what it is, since what it is called may be wrong; of anything else nobody knows what is secret.
local function body_of(text)
  if text:find("^[ \t\r\n]*[%[{]") then return json.document(text, masks.member) end
  if text:find("^[%w_]+=[^{\"]*$") then return masks.parameters(text) end
end

-- The body as it is shown; it is read once, when no more can come.
local function show_body(entry)
  if entry.pieces and entry.seconds then
    entry.body, entry.pieces = body_of(table.concat(entry.pieces)), nil
  end
  return entry.pieces and body_of(table.concat(entry.pieces)) or entry.body
end

local function milliseconds(seconds)
  return seconds and math.floor(seconds * 1000 + 0.5) / 1000
end

-- Hides what is secret.
local function show(entry)
  return {
    n = entry.n, time = milliseconds(entry.time), operation = entry.operation, method = entry.method,
    path = entry.path, query = masks.parameters(entry.query), headers = masks.headers(entry.headers),
    parts = entry.parts and show_parts(entry.parts, entry.seconds), body_bytes = entry.body_bytes,
    body = show_body(entry),
    status = entry.status, bytes = entry.bytes, seconds = milliseconds(entry.seconds), fault = entry.fault,
    generation_id = entry.generation_id,
  }
end

--- The exchanges, oldest first.
---@return table[]
function Journal:list()
  local list = {}
  for n = math.max(self.from, self.count - KEPT) + 1, self.count do
    list[#list + 1] = show(self.slots[n % KEPT])
  end
  return list
end

--- Forgets the exchanges; their numbers go on.
function Journal:clear()
  self.slots, self.from = {}, self.count
end

return M
