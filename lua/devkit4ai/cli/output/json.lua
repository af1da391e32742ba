--- JSON output: one line, keys in alphabetical order on each Lua.
local display = require "devkit4ai.util.display"

local M = {}

local MAX_INTEGER = 2 ^ 53 -- up to this value a Lua number holds each integer exactly

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape(char)
  return ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

local function encode_string(text)
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

-- JSON has no infinity and no NaN. A locale may have another decimal point.
local function encode_number(number)
  if number ~= number or number == math.huge or number == -math.huge then return "null" end
  if number % 1 == 0 and math.abs(number) <= MAX_INTEGER then return ("%.0f"):format(number) end
  return (("%.14g"):format(number):gsub("[^%d%-+e]+", "."))
end

local encode_value

local function encode_list(list)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = encode_value(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = encode_string(name) .. ":" .. encode_value(object[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value)
  if type(value) == "string" then return encode_string(value) end
  if type(value) == "number" then return encode_number(value) end
  if type(value) ~= "table" then return tostring(value) end
  return value[1] ~= nil and encode_list(value) or encode_object(value)
end

--- A record as JSON, safe to display on a terminal.
---@param record table strings, numbers, booleans, and tables of them
---@return string
function M.encode(record)
  return display.json(encode_value(record))
end

return M
