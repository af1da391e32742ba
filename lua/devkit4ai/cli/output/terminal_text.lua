--- Text on a terminal: its width in columns, tables with aligned columns.
local display = require "devkit4ai.util.display"

local M = {}

-- First and last code points of the characters that take two columns, and of those that take none.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0xA4CF }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F },
  { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD },
}
local ZERO_WIDTH = { { 0x300, 0x36F }, { 0x200B, 0x200F }, { 0xFE00, 0xFE0F } }

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
end

local function width_of(char)
  if #char == 1 then return 1 end
  local code = display.code_point(char)
  return is_in(ZERO_WIDTH, code) and 0 or is_in(WIDE, code) and 2 or 1
end

--- Cuts a text of display.text to a number of columns. No character is cut in half.
---@param text string
---@param columns integer
---@return string text
---@return integer width in columns
function M.cut(text, columns)
  local parts, taken = {}, 0
  for char in display.characters(text) do
    local width = width_of(char)
    if taken + width > columns then break end
    parts[#parts + 1], taken = char, taken + width
  end
  return table.concat(parts), taken
end

local function width(text)
  return (select(2, M.cut(text, math.huge)))
end

--- The lines of a table with aligned columns. If the terminal is too narrow, only the last cell is cut, so ids stay whole.
---@param rows string[][]
---@param columns integer? the width of the terminal; nil: nothing is cut
---@return string[] lines
function M.align(rows, columns)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, width(cell)) end
  end
  for _, row in ipairs(rows) do
    local parts = {}
    for i, cell in ipairs(row) do
      parts[i] = i < #row and cell .. (" "):rep(widths[i] - width(cell)) or cell
    end
    local last = table.remove(parts)
    local head = #parts > 0 and table.concat(parts, "  ") .. "  " or ""
    if columns and #parts > 0 then last = M.cut(last, math.max(0, columns - width(head))) end
    lines[#lines + 1] = columns and last == "" and head:gsub(" +$", "") or head .. last
  end
  return lines
end

return M
