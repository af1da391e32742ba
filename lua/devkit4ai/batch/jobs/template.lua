--- Templates of texts: `{row.city}` is a field of the job's row, `{row.place.city}` a field inside a field, `{{` a brace.
local display = require "devkit4ai.util.display"

local M = {}

local HOW = "write {row.NAME} for a field, and {{ for a brace"

-- The value of "place.city" in a row. A name with a dot in it comes first.
local function look_up(row, path)
  local value = row[path]
  if value ~= nil or not path:find(".", 1, true) then return value end
  value = row
  for name in path:gmatch("[^.]+") do
    if type(value) ~= "table" then return nil end
    local item = value[name]
    if item == nil then item = value[tonumber(name)] end
    value = item
  end
  return value
end

--- A value as a text: texts, numbers and booleans have one.
---@param value any
---@return string? text
function M.text_of(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then
    local is_whole = value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53
    return (is_whole and "%.0f" or "%.14g"):format(value)
  end
  return kind == "boolean" and tostring(value) or nil
end

local function field_text(row, path)
  local value = look_up(row, path)
  if value == nil then return nil, ("there is no field %s in its row"):format(display.text(path)) end
  local text = M.text_of(value)
  if text then return text end
  return nil, ("{row.%s} is a %s, not a text; name one of its fields"):format(display.text(path), type(value))
end

-- The parts of a template: texts, and { path }.
local function parse(text)
  local parts, at = {}, 1
  while true do
    local open = text:find("{", at, true)
    if not open then break end
    parts[#parts + 1] = text:sub(at, open - 1)
    local path, behind = text:match("^{row%.([^{}]+)}()", open)
    if path then
      parts[#parts + 1], at = { path }, behind
    elseif text:byte(open + 1) == 123 then
      parts[#parts + 1], at = "{", open + 2
    else
      return nil, ("the template %s has a brace that begins no field; %s"):format(display.text(text), HOW)
    end
  end
  parts[#parts + 1] = text:sub(at)
  return parts
end

--- Compiles a template.
---@param text string
---@return (fun(row: table): string?, string?)? fill the text for a row; nil and why: a field is missing
---@return string? why
function M.compile(text)
  local parts, why = parse(text)
  if not parts then return nil, why end
  local texts, fields = {}, {} -- texts: used for all rows; fields: the positions of fields in it
  for i, part in ipairs(parts) do
    texts[i] = part
    if type(part) == "table" then fields[#fields + 1] = { at = i, path = part[1] } end
  end
  return function(row)
    for i = 1, #fields do
      local field = fields[i]
      local value, problem = field_text(row, field.path)
      if not value then return nil, problem end
      texts[field.at] = value
    end
    return table.concat(texts)
  end
end

--- Compiles a value: each text in a table is a template, other values stay.
---@param value any
---@return (fun(row: table): any, string?)? fill a new value for a row; nil and why: a field is missing
---@return string? why
function M.compile_value(value)
  if type(value) == "string" then return M.compile(value) end
  if type(value) ~= "table" then return function() return value end end
  local fills = {}
  for key, item in pairs(value) do
    local fill, why = M.compile_value(item)
    if not fill then return nil, why end
    fills[key] = fill
  end
  return function(row)
    local copy = {}
    for key, fill in pairs(fills) do
      local item, why = fill(row)
      if why then return nil, why end
      copy[key] = item
    end
    return copy
  end
end

return M
