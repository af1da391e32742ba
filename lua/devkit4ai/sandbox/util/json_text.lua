--- JSON texts: quotes strings, and checks and copies a JSON text without decoding it.
local cjson = require("cjson").new()
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

local MAX_DEPTH = 950 -- levels of a text; common JSON readers, cjson among them, stop at 1,000

local ESCAPES = { ["\127"] = "\\u007f" }
for code = 0, 31 do ESCAPES[string.char(code)] = ("\\u%04x"):format(code) end
ESCAPES['"'], ESCAPES["\\"] = '\\"', "\\\\"
ESCAPES["\n"], ESCAPES["\r"], ESCAPES["\t"] = "\\n", "\\r", "\\t"

--- Encodes a string as JSON, always as valid UTF-8.
---@param value string
---@return string
function M.quote(value)
  return '"' .. encoding.escape_invalid_utf8(value):gsub('[%c"\\]', ESCAPES) .. '"'
end

-- The content of the string at a position, still escaped, and the position after it; nil: no valid string is there.
local function string_at(source, at)
  local from = at + 1
  at = from
  while true do
    at = source:find('["\\%z\1-\31]', at)
    local found = at and source:sub(at, at)
    if found == '"' then return source:sub(from, at - 1), at + 1 end
    if found ~= "\\" then return nil end
    at = source:match('^\\["\\/bfnrt]()', at) or source:match("^\\u%x%x%x%x()", at)
  end
end

-- Turns escapes of half a surrogate pair into text: not every reader accepts them. \1 and \2 are never in a string.
local function escape_half_surrogates(content)
  if not content:find("\\u[dD]") then return content end
  return (content:gsub("\\\\", "\1"):gsub("\\(u[dD][89abAB]%x%x)\\(u[dD][c-fC-F]%x%x)", "\2%1\2%2")
    :gsub("\\(u[dD][89a-fA-F]%x%x)", "\1%1"):gsub("\2", "\\"):gsub("\1", "\\\\"))
end

local LITERALS = { ["true"] = true, ["false"] = true, null = true }

-- The number, true, false or null at a position, and the position after it; nil: none is there.
local function scalar_at(source, at)
  local word, after = source:match("^(%l+)()", at)
  if LITERALS[word] then return word, after end
  local whole, rest = source:match("^(%-?%d+)()", at)
  if not whole or whole:find("^%-?0%d") then return nil end
  after = source:match("^%.%d+()", rest) or rest
  after = source:match("^[eE][+-]?%d+()", after) or after
  return source:sub(at, after - 1), after
end

---@class devkit4ai.sandbox.JsonCopier
---@field source string
---@field replace fun(value: string, name: string): string?
---@field at integer  position of the next token
---@field out string[]  the copied tokens
---@field open { closes: string, name: string? }[]  the objects and lists that are open, outermost first
---@field state string  what may come next: a key of PARSERS
local Copier = {}
Copier.__index = Copier

-- state -> function(copier, character) that copies one token; it returns nil where the token is not allowed
local PARSERS = {}

function Copier:emit(token, after, state)
  self.out[#self.out + 1] = token
  self.at, self.state = after, state
  return true
end

-- The token of the string at the position, the position after it, and its value.
function Copier:read_string(replace)
  local content, after = string_at(self.source, self.at)
  if not content then return nil end
  content = escape_half_surrogates(content)
  local value = cjson.decode('["' .. content .. '"]')[1]
  local replacement = replace and replace(value)
  if replacement or not encoding.count_code_points(content) then return M.quote(replacement or value), after, value end
  return '"' .. content .. '"', after, value
end

function Copier:close(character)
  table.remove(self.open)
  return self:emit(character, self.at + 1, "after_value")
end

function PARSERS.value(copier, character)
  local container = copier.open[#copier.open]
  local name = container and container.name
  local function replace(value) return name and copier.replace(value, name) end
  if character == '"' then
    local token, after = copier:read_string(replace)
    return token and copier:emit(token, after, "after_value")
  end
  if character == "{" or character == "[" then
    if #copier.open == MAX_DEPTH then return nil end
    table.insert(copier.open, { closes = character == "{" and "}" or "]", name = name })
    return copier:emit(character, copier.at + 1, character == "{" and "first_name" or "first_item")
  end
  local token, after = scalar_at(copier.source, copier.at)
  if not token then return nil end
  local replacement = not LITERALS[token] and replace(token)
  return copier:emit(replacement and M.quote(replacement) or token, after, "after_value")
end

function PARSERS.name(copier, character)
  local token, after, value = nil, nil, nil
  if character == '"' then token, after, value = copier:read_string() end
  after = after and copier.source:match("^[ \t\r\n]*:()", after)
  if not after then return nil end
  copier.open[#copier.open].name = value
  return copier:emit(token .. ":", after, "value")
end

function PARSERS.first_item(copier, character)
  if character == "]" then return copier:close(character) end
  return PARSERS.value(copier, character)
end

function PARSERS.first_name(copier, character)
  if character == "}" then return copier:close(character) end
  return PARSERS.name(copier, character)
end

function PARSERS.after_value(copier, character)
  local container = copier.open[#copier.open]
  if not container then return nil end
  if character == container.closes then return copier:close(character) end
  return character == "," and copier:emit(character, copier.at + 1, container.closes == "}" and "name" or "value")
end

--- Copies a JSON text without the whitespace between its tokens. It is stricter than cjson.
---@param source string
---@param replace fun(value: string, name: string): string? the text that replaces a string or number under a name
---@return string? copy nil: the text is not JSON
---@return integer? offset of the first wrong byte, from 0
function M.copy(source, replace)
  local copier = setmetatable({
    source = source, replace = replace, at = 1, out = {}, open = {}, state = "value",
  }, Copier)
  while true do
    copier.at = source:match("^[ \t\r\n]*()", copier.at)
    local character = source:sub(copier.at, copier.at)
    if character == "" and copier.state == "after_value" and not copier.open[1] then return table.concat(copier.out) end
    if not PARSERS[copier.state](copier, character) then return nil, copier.at - 1 end
  end
end

return M
