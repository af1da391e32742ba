--- JSON encoder and decoder. The output is always valid JSON in UTF-8, with object keys in the documents' order.
local cjson = require("cjson").new() -- a private instance: the settings of the shared one belong to the host
local json_text = require "devkit4ai.sandbox.util.json_text"

cjson.decode_invalid_numbers(false) -- NaN, Infinity and 0x1F are not JSON

local M = {}

M.null = cjson.null

---@class devkit4ai.sandbox.RawJson a JSON text that is written as it is
---@field text string
local RawJson = {}

local Array = {} -- the class of tables that are written as a list, also when they are empty

-- A number as text that reads back as the same number. JSON has no NaN and no infinity; 1e999 reads as infinity.
local function encode_number(value)
  if value ~= value then return "null" end
  if value == math.huge then return "1e999" end
  if value == -math.huge then return "-1e999" end
  local written = tostring(value)
  return tonumber(written) == value and written or ("%.17g"):format(value)
end

local SCALARS = {
  string = json_text.quote, number = encode_number, boolean = tostring,
  ["nil"] = function() return "null" end,
  userdata = function(value)
    assert(value == M.null, "JSON has no userdata but null")
    return "null"
  end,
}

--- Encodes a scalar, a raw JSON text, or a list of these.
---@param value any
---@return string
function M.encode(value)
  local encode_scalar = SCALARS[type(value)]
  if encode_scalar then return encode_scalar(value) end
  if getmetatable(value) == RawJson then return value.text end
  local items = {}
  for i, item in ipairs(value) do items[i] = M.encode(item) end
  return "[" .. table.concat(items, ",") .. "]"
end

---@class devkit4ai.sandbox.Schema the keys of a JSON object, in order: strings, or rows for objects inside it
---@field [integer] string|{ [1]: string, [2]: devkit4ai.sandbox.Schema, list: boolean? }

local prefixes = {} -- key -> how its member begins; a cache

local function add_prefix(key)
  prefixes[key] = json_text.quote(key) .. ":"
  return prefixes[key]
end

local function encode_nested(schema, value, is_list)
  if is_list then return M.encode_list(schema, value) end
  return value and M.encode_object(schema, value) or "null"
end

--- Encodes a record as an object with exactly the keys of a schema; a key that the record lacks is null.
---@param schema devkit4ai.sandbox.Schema
---@param record table
---@return string
function M.encode_object(schema, record)
  local members = {}
  for i, key in ipairs(schema) do
    if type(key) == "table" then
      local name = key[1]
      members[i] = (prefixes[name] or add_prefix(name)) .. encode_nested(key[2], record[name], key.list)
    else
      members[i] = (prefixes[key] or add_prefix(key)) .. M.encode(record[key])
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

--- Encodes a list of records of one schema.
---@param schema devkit4ai.sandbox.Schema
---@param records table[]
---@return string
function M.encode_list(schema, records)
  local items = {}
  for i, record in ipairs(records) do items[i] = M.encode_object(schema, record) end
  return "[" .. table.concat(items, ",") .. "]"
end

--- Marks a table as a list, so that encode_any writes an empty one as [].
---@param list table
---@return table
function M.array(list)
  return setmetatable(list, Array)
end

-- The names of a table's fields: those of an order first, then the others by name.
local function ordered_names(value, order)
  local names, known, others = {}, {}, {}
  for _, name in ipairs(order) do
    known[name] = true
    if value[name] ~= nil then names[#names + 1] = name end
  end
  for name in pairs(value) do
    if not known[name] then others[#others + 1] = name end
  end
  table.sort(others)
  for _, name in ipairs(others) do names[#names + 1] = name end
  return names
end

--- Encodes any value. A table with a first item is a list; the keys of objects follow an order.
---@param value any
---@param order string[]
---@return string
function M.encode_any(value, order)
  if type(value) ~= "table" or getmetatable(value) == RawJson then return M.encode(value) end
  local items = {}
  if value[1] ~= nil or getmetatable(value) == Array then
    for i, item in ipairs(value) do items[i] = M.encode_any(item, order) end
    return "[" .. table.concat(items, ",") .. "]"
  end
  for i, name in ipairs(ordered_names(value, order)) do
    items[i] = json_text.quote(name) .. ":" .. M.encode_any(value[name], order)
  end
  return "{" .. table.concat(items, ",") .. "}"
end

--- Keeps a JSON text as it was sent, without the whitespace between its tokens.
---@param source string
---@param replace fun(value: string, name: string): string? the text that replaces a string or number under a name
---@return devkit4ai.sandbox.RawJson? raw nil: the text is not JSON
function M.raw(source, replace)
  local copy = json_text.copy(source, replace)
  return copy and setmetatable({ text = copy }, RawJson)
end

local function replace_nothing() end

--- Decodes a JSON text. cjson also accepts 1. and line feeds in strings; json_text.copy refuses them.
---@param source string
---@return any value
---@return integer? offset of the first wrong byte, from 0; nil: the text is JSON
function M.decode(source)
  local ok, value = pcall(cjson.decode, source)
  if not ok then return nil, math.max(0, (tonumber(tostring(value):match("at character (%d+)")) or 1) - 1) end
  local copy, offset = json_text.copy(source, replace_nothing)
  if not copy then return nil, offset end
  return value
end

--- Turns whole numbers into integers, also in tables: cjson decodes each number as a float.
---@param value any it does not change
---@return any
function M.to_integers(value)
  if type(value) == "number" and value % 1 == 0 then return math.floor(value) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = M.to_integers(item) end
  return copy
end

--- Tells whether a decoded value is a JSON object: cjson decodes objects and arrays to the same kind of table.
---@param value any
---@param source string the text that it was decoded from
---@return boolean
function M.is_object(value, source)
  return type(value) == "table" and source:find("^%s*{") ~= nil
end

return M
