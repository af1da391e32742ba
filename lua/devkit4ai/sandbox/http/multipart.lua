--- Parser of multipart/form-data. It takes the body in pieces, and passes the content of each part on in pieces.
local M = {}

local HEAD_LIMIT = 16 * 1024 -- bytes of one part's headers
local PART_LIMIT = 1000 -- parts in a body

---@class devkit4ai.sandbox.MultipartParser
---@field private _delimiter string
---@field private _on_part fun(part: devkit4ai.sandbox.Part): fun(bytes: string)
---@field private _on_bytes fun(bytes: string)  takes the content of the current part
---@field private _state string  a key of STATES
---@field private _buffer string  bytes that are not parsed yet
---@field private _parts integer  how many have begun
local Parser = {}
Parser.__index = Parser

---@class devkit4ai.sandbox.Part
---@field name string
---@field filename string?  absent: a text field

--- The boundary in a Content-Type header.
---@param content_type string?
---@return string? boundary nil: another type, or no boundary
function M.boundary(content_type)
  local kind, rest = (content_type or ""):match("^([^;%s]*)%s*(;.*)$")
  if not kind or kind:lower() ~= "multipart/form-data" then return nil end
  local from = select(2, rest:lower():find(";%s*boundary="))
  if not from then return nil end
  local boundary = rest:match('^"([^"]+)"', from + 1) or rest:match('^[^%s;"]+', from + 1)
  return boundary and #boundary <= 70 and boundary or nil
end

--- A parser of one body.
---@param boundary string
---@param on_part fun(part: devkit4ai.sandbox.Part): fun(bytes: string) called for each part; returns the consumer of its content
---@return devkit4ai.sandbox.MultipartParser
function M.parser(boundary, on_part)
  return setmetatable({
    _delimiter = "\r\n--" .. boundary, _on_part = on_part, _state = "preamble", _parts = 0,
    _buffer = "\r\n", -- so that the first delimiter looks like all others
  }, Parser)
end

-- Clients escape in two ways: with backslashes (RFC 7578), or with percent signs (curl since 7.81, browsers).
local function unescape(text)
  return (text:gsub('\\(["\\])', "%1"):gsub("%%22", '"'):gsub("%%0[Dd]", "\r"):gsub("%%0[Aa]", "\n"))
end

-- The parameters of a Content-Disposition header; nil: malformed.
local function parse_parameters(value)
  local found, at = {}, 1
  while true do
    local name, from = value:match("^[^;]*;%s*([%w%-_*]+)%s*=%s*()", at)
    if not name then return found end
    if value:sub(from, from) == '"' then
      local stop = from + 1
      while value:sub(stop, stop) ~= '"' do
        if stop > #value then return nil end
        stop = stop + (value:sub(stop, stop) == "\\" and 2 or 1)
      end
      found[name:lower()], at = unescape(value:sub(from + 1, stop - 1)), stop + 1
    else
      local token, after = value:match("^([^;%s]*)()", from)
      found[name:lower()], at = token, after
    end
  end
end

-- The part that a block of headers describes; nil: malformed.
local function parse_part(block)
  local headers = {}
  for line in block:gmatch("([^\r\n]+)\r\n") do
    local name, value = line:match("^([^%s:]+):%s*(.-)%s*$")
    if not name then return nil end
    headers[name:lower()] = value
  end
  local disposition = headers["content-disposition"]
  if not disposition or not disposition:lower():find("^form%-data%s*;") then return nil end
  local parameters = parse_parameters(disposition)
  if not parameters or not parameters.name then return nil end
  return { name = parameters.name, filename = parameters.filename }
end

-- What a step of the parser can do.
local ADVANCED, NEEDS_BYTES, MALFORMED = "advanced", "needs bytes", "malformed"

-- state -> function(parser): one of the three
local STATES = {}

-- Passes the bytes before the next delimiter on. The last bytes may be the beginning of a delimiter, so they stay.
local function read_to_delimiter(parser, on_bytes)
  local buffer, delimiter = parser._buffer, parser._delimiter
  local start, stop = buffer:find(delimiter, 1, true)
  if start then
    on_bytes(buffer:sub(1, start - 1))
    parser._buffer, parser._state = buffer:sub(stop + 1), "delimiter"
    return ADVANCED
  end
  local safe = #buffer - #delimiter + 1
  if safe > 0 then
    on_bytes(buffer:sub(1, safe))
    parser._buffer = buffer:sub(safe + 1)
  end
  return NEEDS_BYTES
end

local function ignore() end

function STATES.preamble(parser)
  return read_to_delimiter(parser, ignore)
end

function STATES.content(parser)
  return read_to_delimiter(parser, parser._on_bytes)
end

function STATES.delimiter(parser)
  local buffer = parser._buffer
  if buffer:sub(1, 2) == "--" then
    parser._buffer, parser._state = "", "epilogue"
    return ADVANCED
  end
  local after = buffer:match("^[ \t]*\r\n()")
  if after then
    parser._buffer, parser._state = buffer:sub(after), "head"
    return ADVANCED
  end
  if buffer:find("^%-?$") or buffer:find("^[ \t]*\r?$") and #buffer < HEAD_LIMIT then return NEEDS_BYTES end
  return MALFORMED
end

function STATES.head(parser)
  local buffer = parser._buffer
  local _, stop = buffer:find("\r\n\r\n", 1, true)
  if not stop then return #buffer > HEAD_LIMIT and MALFORMED or NEEDS_BYTES end
  local part = parse_part(buffer:sub(1, stop - 2))
  parser._parts = parser._parts + 1
  if not part or parser._parts > PART_LIMIT then return MALFORMED end
  parser._buffer, parser._state, parser._on_bytes = buffer:sub(stop + 1), "content", parser._on_part(part)
  return ADVANCED
end

function STATES.epilogue(parser)
  parser._buffer = ""
  return NEEDS_BYTES
end

--- Takes the next bytes of the body.
---@param bytes string
---@return boolean valid false: the body is malformed; feed nothing more
function Parser:feed(bytes)
  self._buffer = self._buffer .. bytes
  local result
  repeat result = STATES[self._state](self) until result ~= ADVANCED
  return result ~= MALFORMED
end

--- Tells whether the last delimiter has come, so that the body is complete.
---@return boolean
function Parser:finished()
  return self._state == "epilogue"
end

return M
