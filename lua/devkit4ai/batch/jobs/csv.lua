--- Rows of a CSV file (RFC 4180). Each row is a table of texts by the names in the first line.
---
--- It is our own code: Debian has no CSV library for Lua, and each fault must be reported with its line.
---
--- The separator is a semicolon if the first line has semicolons and no comma: spreadsheets write it where the comma is the
--- decimal sign. A line end in a quoted field is read as a line feed.
local core = require "devkit4ai.core"
local display = require "devkit4ai.util.display"
local lines = require "devkit4ai.batch.jobs.lines"

local M = {}

local QUOTE = 34

local UNCLOSED = "a quoted field does not end; add the quote that is missing"
local LONG = "a quoted field has more than 1 MB; a quote is missing"
local STRAY = "there is a quote inside a field without quotes; put the field in quotes, and write the inner quote twice"
local AFTER = "there is text after the closing quote of a field; inside a field, write each quote twice"

-- Reads the quoted field that begins at `at`. next_line continues a field with line feeds.
-- Returns the field, the text of the current line, and the position behind the closing quote; nil, why, and true: it has no end.
local function quoted_field(text, at, next_line)
  local parts, size, from = {}, 0, at + 1
  while true do
    local stop = text:find('"', from, true)
    local part = text:sub(from, stop and stop - 1)
    parts[#parts + 1], size = part, size + #part
    if size > lines.MAX_BYTES then return nil, LONG, true end
    if not stop then
      local more, _, why = next_line()
      if not more then return nil, why or UNCLOSED, true end
      parts[#parts + 1], text, from = "\n", more, 1
    elseif text:byte(stop + 1) == QUOTE then
      parts[#parts + 1], from = '"', stop + 2
    else
      return table.concat(parts), text, stop + 1
    end
  end
end

-- The fields of a record; nil, why, and true: where the next record begins is not known.
local function record(text, separator, next_line)
  local fields, at = {}, 1
  while true do
    local field, behind
    if text:byte(at) == QUOTE then
      field, text, behind = quoted_field(text, at, next_line)
      if not field then return nil, text, behind end
      if behind <= #text and text:sub(behind, behind) ~= separator then return nil, AFTER end
    else
      behind = text:find(separator, at, true) or #text + 1
      field = text:sub(at, behind - 1)
      if field:find('"', 1, true) then return nil, STRAY end
    end
    fields[#fields + 1] = field
    if behind > #text then return fields end
    at = behind + 1
  end
end

local function header_problem(names)
  local seen = {}
  for i, name in ipairs(names) do
    if not name:find("%S") then return ("column %d of the first line has no name"):format(i) end
    if name:find("\r", 1, true) then return "its lines end with CR alone; save the file with LF or CR LF" end
    if seen[name] then
      return ("the columns %d and %d are both named %s"):format(seen[name], i, display.text(name))
    end
    seen[name] = i
  end
end

local function separator_of(header)
  local bare = header:gsub('"[^"]*"', "")
  return bare:find(";", 1, true) and not bare:find(",", 1, true) and ";" or ","
end

-- The first line that is not empty: the names of the columns, and the separator.
local function read_header(next_line)
  local text, number, why
  repeat text, number, why = next_line() until text ~= ""
  if not text then return nil, number or 1, why or "it has no line with the names of the columns" end
  local separator = separator_of(text)
  local names, problem = record(text, separator, next_line)
  problem = problem or header_problem(names)
  if problem then return nil, number, problem end
  return names, separator
end

local function row_of(names, fields)
  local row = {}
  for i = 1, #names do row[names[i]] = fields[i] end
  return row
end

local WRONG_COUNT = "the number of its fields is %d, but the first line names %d columns"

--- An iterator over the rows. Empty lines are skipped.
---@param next_line fun(): (string|false|nil), integer?, string? as devkit4ai.batch.jobs.lines.of gives it
---@return fun(): (table|false|nil), integer?, string? next_row the row and the number of its first line; false, the number and why: this row can't be used; nil: the end
function M.rows(next_line)
  local names, separator, is_over
  return function()
    if is_over then return nil end
    if not names then
      local first, number, why = read_header(next_line)
      if not first then
        is_over = true
        return false, number, why
      end
      names, separator = first, number
    end
    local text, number, why
    repeat text, number, why = next_line() until text ~= ""
    if not text then return text, number, why end
    local row = core.plain_row(text, separator, names) -- nearly all rows have no quotes
    if row then return row, number end
    local fields, problem
    fields, problem, is_over = record(text, separator, next_line)
    if not fields then return false, number, problem end
    if #fields ~= #names then return false, number, WRONG_COUNT:format(#fields, #names) end
    return row_of(names, fields), number
  end
end

return M
