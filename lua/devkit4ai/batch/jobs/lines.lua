--- The lines of a text file: UTF-8, with or without a byte order mark, ended by LF or CR LF. The file is read in blocks.
local core = require "devkit4ai.core"
local instructions = require "devkit4ai.generation.input.instructions"

local M = {}

local BLOCK = 64 * 1024 -- bytes
local BYTE_ORDER_MARK = "\239\187\191"

--- The longest line, and the longest record of several lines, in bytes: a missing quote must not read a whole file as one.
M.MAX_BYTES = 1024 * 1024

local TOO_LONG = "the line has more than 1 MB"

-- How files begin that are no plain text, and what to do.
local FORMATS = {
  { "\31\139", "it is compressed (gzip); unpack it first, for example with: gunzip" },
  { "BZh", "it is compressed (bzip2); unpack it first, for example with: bunzip2" },
  { "\253" .. "7zXZ", "it is compressed (xz); unpack it first, for example with: unxz" },
  { "\40\181\47\253", "it is compressed (zstd); unpack it first, for example with: unzstd" },
  { "PK\3\4", "it is a ZIP file or an Excel workbook; save the table as CSV in UTF-8" },
  { "\255\254", "it is UTF-16; save it as UTF-8" },
  { "\254\255", "it is UTF-16; save it as UTF-8" },
}

local function format_problem(start)
  for _, format in ipairs(FORMATS) do
    if start:sub(1, #format[1]) == format[1] then return format[2] end
  end
  if start:find("^%s*%[") then
    return "it is a JSON array; write one object per line, for example with: jq -c '.[]'"
  end
  if not start:find("%S") then return "it is empty" end
end

local function text_problem(line)
  if #line > M.MAX_BYTES then return TOO_LONG end
  if line:find("%z") then return "the line has a NUL byte" end
  local count, position = instructions.length(line)
  if not count then return ("byte %d of the line is not UTF-8; save the file as UTF-8"):format(position) end
end

-- Reads blocks until `buffer` has a line end after `at`. Returns the rest of the buffer; at the end of the file, `true`, too.
local function fill(file, rest)
  repeat
    local block, why = file:read(BLOCK)
    if why then return nil, why end
    if not block then return rest, true end
    rest = rest .. block
  until block:find("\n", 1, true) or #rest > M.MAX_BYTES
  return rest
end

-- Skips the rest of a line that is too long. Returns the text after it.
local function skip_line(file)
  repeat
    local block = file:read(BLOCK)
    local stop = block and block:find("\n", 1, true)
    if stop then return block:sub(stop + 1) end
  until not block
  return ""
end

-- An iterator over the lines of an open file, whose first block was read.
local function iterate(file, buffer)
  local at, number, is_last = 1, 0, false

  local function checked(line, is_ascii)
    number = number + 1
    if is_ascii and #line <= M.MAX_BYTES then return line, number end
    local why = text_problem(line)
    if why then return false, number, why end
    return line, number
  end

  return function()
    local line, behind, is_ascii = core.text_line(buffer, at)
    if not line and not is_last then
      local rest, last = fill(file, buffer:sub(at))
      if not rest then
        buffer, at, is_last = "", 1, true
        return false, number + 1, last
      end
      buffer, at, is_last = rest, 1, last == true
      line, behind, is_ascii = core.text_line(buffer, at)
    end
    if line then
      at = behind
      return checked(line, is_ascii)
    end
    if at > #buffer then return nil end
    line = buffer:sub(at):gsub("\r$", "")
    if is_last then buffer, at = "", 1
    else buffer, at = skip_line(file), 1 end
    return checked(line, false)
  end
end

--- Reads the lines of an open file from its current position.
---@param file file*
---@return (fun(): (string|false|nil), integer?, string?)? next_line the line and its number; false, the number and why: this line can't be used; nil: the end
---@return "json_lines"|"csv"|string format by the first character that is no space; without lines: why not
function M.of(file)
  local start, why = file:read(BLOCK)
  if not start and why then return nil, why end
  start = start or ""
  if start:sub(1, 3) == BYTE_ORDER_MARK then start = start:sub(4) end
  local problem = format_problem(start)
  if problem then return nil, problem end
  return iterate(file, start), start:find("^%s*{") and "json_lines" or "csv"
end

return M
