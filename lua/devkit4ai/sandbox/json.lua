--- JSON in and out. Objects are written in the order of the documents, which a person at a terminal reads.
local cjson = require("cjson").new() -- ours alone: settings of the shared instance are the host's

local M = {}

M.null = cjson.null

local ESCAPES = setmetatable({ ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }, {
  __index = function(escapes, character)
    escapes[character] = ("\\u%04x"):format(character:byte())
    return escapes[character]
  end,
})

local function text(value)
  return '"' .. value:gsub('[%c"\\]', ESCAPES) .. '"'
end

-- key of a form -> how its member begins; forms are few
local BEGINNINGS = setmetatable({}, {
  __index = function(beginnings, key)
    beginnings[key] = text(key) .. ":"
    return beginnings[key]
  end,
})

--- One value: a string, number, boolean, nil (null), or a list of such.
---@param value any
---@return string
function M.encode(value)
  local kind = type(value)
  if kind == "string" then return text(value) end
  if kind ~= "table" then return value == nil and "null" or tostring(value) end
  local items = {}
  for i, item in ipairs(value) do items[i] = M.encode(item) end
  return "[" .. table.concat(items, ",") .. "]"
end

local function inner(form, value, is_list)
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
      members[i] = BEGINNINGS[key[1]] .. inner(key[2], record[key[1]], key.list)
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
  if type(value) ~= "table" then return M.encode(value) end
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

--- The value of a JSON text, or nil and the offset (from 0) at which it went wrong.
---@param source string
---@return any value
---@return integer? offset
function M.decode(source)
  local ok, value = pcall(cjson.decode, source)
  if ok then return value end
  return nil, math.max(0, (tonumber(tostring(value):match("at character (%d+)")) or 1) - 1)
end

--- Whether a decoded value is a JSON object: cjson gives objects and arrays alike as tables.
---@param value any
---@param source string the text it came from
---@return boolean
function M.is_object(value, source)
  return type(value) == "table" and source:find("^%s*{") ~= nil
end

return M
