--- Text as a terminal shows it: how wide it is, how it is quoted for a shell.
local display = require "devkit4ai.util.display"

local M = {}

-- First and last of the characters that take two columns, and of those that take none.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0xA4CF }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F },
  { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD },
}
local NONE = { { 0x300, 0x36F }, { 0x200B, 0x200F }, { 0xFE00, 0xFE0F } }

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
end

local function width_of(char)
  if #char == 1 then return 1 end
  local code = display.code(char)
  return is_in(NONE, code) and 0 or is_in(WIDE, code) and 2 or 1
end

--- As much of a text of display.text as fits, and how many columns that takes.
---@param text string
---@param columns integer
---@return string
---@return integer
function M.fit(text, columns)
  local parts, taken = {}, 0
  for char in display.characters(text) do
    local width = width_of(char)
    if taken + width > columns then break end
    parts[#parts + 1], taken = char, taken + width
  end
  return table.concat(parts), taken
end

--- Rows in columns of even width, the last one as long as it is. Where the terminal has too few columns, the last cell is cut,
--- never an id before it.
---@param rows string[][]
---@param columns integer? of the terminal; none: nothing is cut
---@return string[] lines
function M.columns(rows, columns)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      local _, taken = M.fit(cell, math.huge)
      widths[i] = math.max(widths[i] or 0, taken)
    end
  end
  for _, row in ipairs(rows) do
    local parts = {}
    for i, cell in ipairs(row) do
      local _, taken = M.fit(cell, math.huge)
      parts[i] = i < #row and cell .. (" "):rep(widths[i] - taken) or cell
    end
    local last = table.remove(parts)
    local head = #parts > 0 and table.concat(parts, "  ") .. "  " or ""
    local _, taken = M.fit(head, math.huge)
    if columns and #parts > 0 then last = M.fit(last, math.max(0, columns - taken)) end
    lines[#lines + 1] = columns and last == "" and head:gsub(" +$", "") or head .. last
  end
  return lines
end

local function quote_plain(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

-- For printf: a control character as its number, so that the line can be shown and copied.
local function escape(word)
  local function numbered(bytes)
    return (bytes:gsub(".", function(byte) return ("\\%03o"):format(byte:byte()) end))
  end
  return (word:gsub("\\", "\\\\"):gsub("%%", "%%%%"):gsub("%c", numbered):gsub("\194[\128-\159]", numbered))
end

--- A word as a POSIX shell reads it.
---@param word string
---@return string
function M.quote(word)
  if word:find("^[A-Za-z0-9_./:@%%+-]+$") then return word end
  if word:find "%c" or word:find "\194[\128-\159]" then
    return ('"$(printf %s)"'):format(quote_plain(escape(word)))
  end
  return quote_plain(word)
end

--- An option with its value, as a POSIX shell and the command read it.
---@param name string
---@param value string
---@return string
function M.option(name, value)
  return name .. (value:find "^%-" and "=" or " ") .. M.quote(value)
end

return M
