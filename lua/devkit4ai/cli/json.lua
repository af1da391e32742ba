--- JSON on one line, with the keys in alphabetical order on every Lua.
local display = require "devkit4ai.util.display"

local M = {}

local WHOLE = 2 ^ 53 -- up to here each whole number is itself

local SHORT = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape(char)
  return SHORT[char] or ("\\u%04x"):format(char:byte())
end

local function string_of(text)
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

-- JSON has no word for infinity and NaN; the locale may write another decimal sign.
local function number_of(number)
  if number ~= number or number == math.huge or number == -math.huge then return "null" end
  if number % 1 == 0 and math.abs(number) <= WHOLE then return ("%.0f"):format(number) end
  return (("%.14g"):format(number):gsub("[^%d%-+e]+", "."))
end

local value_of

local function list_of(list)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = value_of(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object_of(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = string_of(name) .. ":" .. value_of(object[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

function value_of(value)
  if type(value) == "string" then return string_of(value) end
  if type(value) == "number" then return number_of(value) end
  if type(value) ~= "table" then return tostring(value) end
  return value[1] ~= nil and list_of(value) or object_of(value)
end

--- A record as JSON that may go to a terminal.
---@param record table strings, numbers, booleans, and tables of them
---@return string
function M.encode(record)
  return display.json(value_of(record))
end

return M
