--- JSON in and out. What is written is valid JSON in UTF-8, whatever the values hold. Objects are written in the order of
--- the documents, which a person at a terminal reads.
local cjson = require("cjson").new() -- ours alone: settings of the shared instance are the host's
local encoding = require "devkit4ai.sandbox.util.encoding"

cjson.decode_invalid_numbers(false) -- NaN, Infinity and 0x1F are not JSON

local M = {}

M.null = cjson.null

local ESCAPES = setmetatable({ ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }, {
  __index = function(escapes, character)
    escapes[character] = ("\\u%04x"):format(character:byte())
    return escapes[character]
  end,
})

local function text(value)
  return '"' .. encoding.visible(value):gsub('[%c"\\]', ESCAPES) .. '"'
end

-- A number so that it is read back as the same one. JSON has no NaN; a number beyond all others is read as infinite.
local function number(value)
  if value ~= value then return "null" end
  if value == math.huge then return "1e999" end
  if value == -math.huge then return "-1e999" end
  local written = tostring(value)
  return tonumber(written) == value and written or ("%.17g"):format(value)
end

local DOCUMENT = {} -- metatable of a JSON text that document() has checked

local SCALARS = {
  string = text, number = number, boolean = tostring,
  ["nil"] = function() return "null" end,
  userdata = function(value)
    assert(value == M.null, "JSON has no userdata but null")
    return "null"
  end,
}

-- key of a form -> how its member begins; forms are few
local BEGINNINGS = setmetatable({}, {
  __index = function(beginnings, key)
    beginnings[key] = text(key) .. ":"
    return beginnings[key]
  end,
})

--- One value: a string, number, boolean, null (or nil), a document, or a list of such.
---@param value any
---@return string
function M.encode(value)
  local scalar = SCALARS[type(value)]
  if scalar then return scalar(value) end
  if getmetatable(value) == DOCUMENT then return value.text end
  local items = {}
  for i, item in ipairs(value) do items[i] = M.encode(item) end
  return "[" .. table.concat(items, ",") .. "]"
end

local function member(form, value, is_list)
  if not is_list then return value and M.object(form, value) or "null" end
  return M.list(form, value)
end

--- An object with exactly the keys of a form, in its order; what the record lacks is null.
---@param form (string|table)[] keys; { key, form } for an object under it, { key, form, list = true } for a list of such
---@param record table
---@return string
function M.object(form, record)
  local members = {}
  for i, key in ipairs(form) do
    if type(key) == "table" then
      members[i] = BEGINNINGS[key[1]] .. member(key[2], record[key[1]], key.list)
    else
      members[i] = BEGINNINGS[key] .. M.encode(record[key])
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

--- A list of objects of one form.
---@param form table
---@param records table[]
---@return string
function M.list(form, records)
  local items = {}
  for i, record in ipairs(records) do items[i] = M.object(form, record) end
  return "[" .. table.concat(items, ",") .. "]"
end

local ARRAY = {}

--- Makes a list one that is written as a list also where it is empty.
---@param list table
---@return table
function M.array(list)
  return setmetatable(list, ARRAY)
end

--- Any value; a table is a list where it has a first item. Members of objects stand in a given order, those that the
--- order does not name follow by name.
---@param value any
---@param order string[]
---@return string
function M.write(value, order)
  if type(value) ~= "table" or getmetatable(value) == DOCUMENT then return M.encode(value) end
  local items = {}
  if value[1] ~= nil or getmetatable(value) == ARRAY then
    for i, item in ipairs(value) do items[i] = M.write(item, order) end
    return "[" .. table.concat(items, ",") .. "]"
  end
  local function add(name)
    if value[name] ~= nil then items[#items + 1] = text(name) .. ":" .. M.write(value[name], order) end
  end
  local known, others = {}, {}
  for _, name in ipairs(order) do
    known[name] = true
    add(name)
  end
  for name in pairs(value) do
    if not known[name] then others[#others + 1] = name end
  end
  table.sort(others)
  for _, name in ipairs(others) do add(name) end
  return "{" .. table.concat(items, ",") .. "}"
end

local DEPTH = 950 -- levels of a document: the usual readers of our answers, cjson among them, give up at 1,000

-- The inside of the string that begins at a place, as it stands in the source, and the place behind it; nil for no string.
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

-- Shows as text what not every reader takes: the escape of half a surrogate pair. \1 and \2 can't be in a string.
local function show_halves(inner)
  if not inner:find("\\u[dD]") then return inner end
  return (inner:gsub("\\\\", "\1"):gsub("\\(u[dD][89abAB]%x%x)\\(u[dD][c-fC-F]%x%x)", "\2%1\2%2")
    :gsub("\\(u[dD][89a-fA-F]%x%x)", "\1%1"):gsub("\2", "\\"):gsub("\1", "\\\\"))
end

local LITERALS = { ["true"] = true, ["false"] = true, null = true }

-- The number, true, false or null at a place, and the place behind it; nil for none.
local function word_at(source, at)
  local word, after = source:match("^(%l+)()", at)
  if LITERALS[word] then return word, after end
  local whole, rest = source:match("^(%-?%d+)()", at)
  if not whole or whole:find("^%-?0%d") then return nil end
  after = source:match("^%.%d+()", rest) or rest
  after = source:match("^[eE][+-]?%d+()", after) or after
  return source:sub(at, after - 1), after
end

-- Reads a JSON text piece by piece. One place of the text decides what may come next: its step.
local STEPS = {}

local Reader = {}
Reader.__index = Reader

local function reader_of(source, change)
  return setmetatable({ source = source, change = change, at = 1, out = {}, open = {}, step = "value" }, Reader)
end

function Reader:put(piece, after, step)
  self.out[#self.out + 1] = piece
  self.at, self.step = after, step
  return true
end

-- A string as it is shown, and its value; change: what replaces the value.
function Reader:string(change)
  local inner, after = string_at(self.source, self.at)
  if not inner then return nil end
  inner = show_halves(inner)
  local value = cjson.decode('["' .. inner .. '"]')[1]
  local other = change and change(value)
  if other or not encoding.code_points(inner) then return text(other or value), after, value end
  return '"' .. inner .. '"', after, value
end

function Reader:close(found)
  table.remove(self.open)
  return self:put(found, self.at + 1, "rest")
end

function STEPS.value(reader, found)
  local top = reader.open[#reader.open]
  local name = top and top.name
  local function change(value) return name and reader.change(value, name) end
  if found == '"' then
    local piece, after = reader:string(change)
    return piece and reader:put(piece, after, "rest")
  end
  if found == "{" or found == "[" then
    if #reader.open == DEPTH then return nil end
    table.insert(reader.open, { closes = found == "{" and "}" or "]", name = name })
    return reader:put(found, reader.at + 1, found == "{" and "first_name" or "first_item")
  end
  local word, after = word_at(reader.source, reader.at)
  if not word then return nil end
  local other = not LITERALS[word] and change(word)
  return reader:put(other and text(other) or word, after, "rest")
end

function STEPS.name(reader, found)
  local piece, after, value = nil, nil, nil
  if found == '"' then piece, after, value = reader:string() end
  after = after and reader.source:match("^[ \t\r\n]*:()", after)
  if not after then return nil end
  reader.open[#reader.open].name = value
  return reader:put(piece .. ":", after, "value")
end

function STEPS.first_item(reader, found)
  if found == "]" then return reader:close(found) end
  return STEPS.value(reader, found)
end

function STEPS.first_name(reader, found)
  if found == "}" then return reader:close(found) end
  return STEPS.name(reader, found)
end

function STEPS.rest(reader, found)
  local top = reader.open[#reader.open]
  if not top then return nil end
  if found == top.closes then return reader:close(found) end
  return found == "," and reader:put(found, reader.at + 1, top.closes == "}" and "name" or "value")
end

-- Reads a whole JSON text: what is shown of it; or nil and the offset (from 0) of what is not JSON.
local function read(source, change)
  local reader = reader_of(source, change)
  while true do
    reader.at = source:match("^[ \t\r\n]*()", reader.at)
    local found = source:sub(reader.at, reader.at)
    if found == "" and reader.step == "rest" and not reader.open[1] then return table.concat(reader.out) end
    if not STEPS[reader.step](reader, found) then return nil, reader.at - 1 end
  end
end

--- A JSON text as a value, which is written as it was sent, blanks between its tokens left out. Nil where it is not JSON.
---@param source string
---@param change fun(value: string, name: string): string? what replaces a string or number under a name; nil: it stays
---@return table?
function M.document(source, change)
  local shown = read(source, change)
  return shown and setmetatable({ text = shown }, DOCUMENT)
end

local function keep() end

--- The value of a JSON text, or nil and the offset (from 0) at which it went wrong. cjson also takes line feeds in strings,
--- numbers such as 1. and anything behind a NUL.
---@param source string
---@return any value
---@return integer? offset
function M.decode(source)
  local ok, value = pcall(cjson.decode, source)
  if not ok then return nil, math.max(0, (tonumber(tostring(value):match("at character (%d+)")) or 1) - 1) end
  local shown, offset = read(source, keep)
  if not shown then return nil, offset end
  return value
end

--- Whether a decoded value is a JSON object: cjson gives objects and arrays alike as tables.
---@param value any
---@param source string the text it came from
---@return boolean
function M.is_object(value, source)
  return type(value) == "table" and source:find("^%s*{") ~= nil
end

return M
