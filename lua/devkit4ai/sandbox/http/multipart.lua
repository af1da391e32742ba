--- multipart/form-data, read as it arrives: bytes go in as they come, each part's content comes out in pieces.
local M = {}

local HEAD_LIMIT = 16 * 1024 -- bytes of one part's headers
local PART_LIMIT = 1000 -- parts in a body

local Parser = {}
Parser.__index = Parser

---@class devkit4ai.sandbox.Part
---@field name string
---@field filename string?  absent: a text part

--- The boundary of a Content-Type header, or nil where it is no multipart/form-data or names none.
---@param content_type string?
---@return string?
function M.boundary(content_type)
  local kind, rest = (content_type or ""):match("^([^;%s]*)%s*(;.*)$")
  if not kind or kind:lower() ~= "multipart/form-data" then return nil end
  local from = select(2, rest:lower():find(";%s*boundary="))
  if not from then return nil end
  local boundary = rest:match('^"([^"]+)"', from + 1) or rest:match('^[^%s;"]+', from + 1)
  return boundary and #boundary <= 70 and boundary or nil
end

--- A parser. on_part is called at the head of each part and gives the function that takes the part's bytes.
---@param boundary string
---@param on_part fun(part: devkit4ai.sandbox.Part): fun(bytes: string)
function M.parser(boundary, on_part)
  return setmetatable({
    delimiter = "\r\n--" .. boundary, on_part = on_part, state = "preamble", parts = 0,
    rest = "\r\n", -- so that the first delimiter looks like all others
  }, Parser)
end

-- Both ways of escaping in use: backslashes (RFC 7578's readers) and percent signs (curl since 7.81, browsers).
local function unescape(text)
  return (text:gsub('\\(["\\])', "%1"):gsub("%%22", '"'):gsub("%%0[Dd]", "\r"):gsub("%%0[Aa]", "\n"))
end

-- The parameters of a Content-Disposition value.
local function parameters(value)
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

-- The part that a header block describes, or nil where it is malformed.
local function describe(block)
  local headers = {}
  for line in block:gmatch("([^\r\n]+)\r\n") do
    local name, value = line:match("^([^%s:]+):%s*(.-)%s*$")
    if not name then return nil end
    headers[name:lower()] = value
  end
  local disposition = headers["content-disposition"]
  if not disposition or not disposition:lower():find("^form%-data%s*;") then return nil end
  local found = parameters(disposition)
  if not found or not found.name then return nil end
  return { name = found.name, filename = found.filename }
end

-- One step a state: true when it got further, false when it needs more bytes, nil when the body is malformed.
local STEPS = {}

-- Up to the next delimiter; its own last bytes may be the beginning of one and are kept.
local function find_delimiter(parser, take)
  local start, stop = parser.rest:find(parser.delimiter, 1, true)
  if start then
    take(parser.rest:sub(1, start - 1))
    parser.rest, parser.state = parser.rest:sub(stop + 1), "delimiter"
    return true
  end
  local safe = #parser.rest - #parser.delimiter + 1
  if safe > 0 then
    take(parser.rest:sub(1, safe))
    parser.rest = parser.rest:sub(safe + 1)
  end
  return false
end

local function ignore() end

function STEPS.preamble(parser)
  return find_delimiter(parser, ignore)
end

function STEPS.content(parser)
  return find_delimiter(parser, parser.take)
end

function STEPS.delimiter(parser)
  local rest = parser.rest
  if rest:sub(1, 2) == "--" then
    parser.rest, parser.state = "", "epilogue"
    return true
  end
  local after = rest:match("^[ \t]*\r\n()")
  if after then
    parser.rest, parser.state = rest:sub(after), "head"
    return true
  end
  if rest:find("^%-?$") or rest:find("^[ \t]*\r?$") and #rest < HEAD_LIMIT then return false end
  return nil
end

function STEPS.head(parser)
  local _, stop = parser.rest:find("\r\n\r\n", 1, true)
  if not stop then
    if #parser.rest > HEAD_LIMIT then return nil end
    return false
  end
  local part = describe(parser.rest:sub(1, stop - 2))
  parser.parts = parser.parts + 1
  if not part or parser.parts > PART_LIMIT then return nil end
  parser.rest, parser.state, parser.take = parser.rest:sub(stop + 1), "content", parser.on_part(part)
  return true
end

function STEPS.epilogue(parser)
  parser.rest = ""
  return false
end

--- Takes the next bytes of the body.
---@param bytes string
---@return boolean ok false: the body is malformed; nothing more is to be fed
function Parser:feed(bytes)
  self.rest = self.rest .. bytes
  local further
  repeat further = STEPS[self.state](self) until not further
  return further ~= nil
end

--- Whether the body was whole: its last delimiter has come.
---@return boolean
function Parser:finished()
  return self.state == "epilogue"
end

return M
