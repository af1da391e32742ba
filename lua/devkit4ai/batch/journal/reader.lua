--- Reads a journal: whole lines, in order. A last line without its end is what a write left that a crash interrupted; one that lacks
--- nothing but its line feed counts: its step may have been taken.
local core = require "devkit4ai.core"
local format = require "devkit4ai.batch.journal.format"
local json = require "devkit4ai.util.json"
local states_module = require "devkit4ai.batch.journal.state"

local M = {}

-- Bytes. LuaJIT maps fresh pages for each string of 128 KB or more, which costs many times what the read itself does.
local PIECE = 64 * 1024
local START = '{"journal":'

local DAMAGED = "line %d was changed or damaged after it was written, so the fate of its job is not known. Nothing was "
  .. "sent. Put back a copy of the file as it was; without the file, jobs that are paid for would be sent again"
local NOT_A_JOURNAL = "it is not a journal of a batch. Nothing was sent; give another folder"
local OTHER_VERSION = "it is a journal of version %s, and this library reads version %d. Nothing was sent; "
  .. "use the version of the library that began the batch"

-- Why the first line can't be used.
local function first_problem(line)
  local version = line:match '^{"journal":(%d+)[,}]'
  if not version then return NOT_A_JOURNAL end
  if tonumber(version) ~= format.VERSION then return OTHER_VERSION:format(version, format.VERSION) end
  return DAMAGED:format(1)
end

-- Adds a line that was checked, and is none of a usual step.
local function add_line(result, line)
  result.lines = result.lines + 1
  local record, is_first = json.decode_plain(line), result.lines == 1
  if is_first and not (type(record) == "table" and record.journal == format.VERSION) then return first_problem(line) end
  if not format.has_types(record) or is_first and not record.batch then return DAMAGED:format(result.lines) end
  if is_first then result.states.batch = record.batch
  elseif not result.states:add(record) then return DAMAGED:format(result.lines) end
end

-- Adds the lines that were checked, from an offset to another one. Gives where it ended, and the problem with the line there.
local function add_checked(result, text, at, stop)
  while at < stop do
    if result.lines > 0 then
      local count
      at, count = result.states:add_lines(text, at, stop)
      result.lines = result.lines + count
    end
    if at == stop then break end
    local feed = text:find("\n", at + 1, true)
    local problem = add_line(result, text:sub(at + 1, feed - 1))
    if problem then return at, problem end
    at = feed
  end
  return at
end

-- Adds the whole lines of a text, which begins with the link of the line before; gives what follows the last one, with that
-- line's link, and the problem with a line.
local function add_lines(result, text)
  local start = #result.link
  local length, is_wrong = core.check_lines(text, start)
  local at, problem = add_checked(result, text, start, length)
  if length > start then
    result.length, result.link = result.length + length - start, text:sub(length - format.LINK + 1, length)
  end
  if is_wrong and not problem then
    problem = result.lines == 0 and first_problem(text:sub(at + 1)) or DAMAGED:format(result.lines + 1)
  end
  return text:sub(length + 1), problem
end

-- Whether what follows the last whole line is the rest of a write that a crash interrupted: it has no end, or it has NULs,
-- because the file system had extended the file before it wrote the bytes.
local function is_torn(rest, has_lines)
  local line_end = rest:find("\n", 1, true)
  if line_end then return line_end == #rest and rest:find("\0", 1, true) ~= nil end
  return has_lines or rest:find "^%z*$" ~= nil or (START .. rest:sub(#START + 1)):sub(1, #rest) == rest
end

---@class devkit4ai.batch.JournalText
---@field states devkit4ai.batch.States
---@field lines integer
---@field link string the end of the last line, which the sum of the next one includes
---@field length integer bytes of the whole lines, with the line feed that the last one may lack in the file

--- Reads a journal.
---@param file userdata core.journal's, or a table with its function read
---@return devkit4ai.batch.JournalText? result
---@return string? problem
function M.read(file)
  local result = { states = states_module.new(), lines = 0, link = "", length = 0 }
  local offset, rest, problem = 0, "", nil
  while true do
    local text, _, why = file:read(offset, PIECE)
    if not text then return nil, why end
    if text == "" then break end
    offset = offset + #text
    if problem then rest = rest .. text else rest, problem = add_lines(result, result.link .. rest .. text) end
    if problem and not rest:find("\0", 1, true) then return nil, problem end
  end
  if rest ~= "" and not problem then
    local left, wrong = add_lines(result, result.link .. rest .. "\n")
    if left == "" then return not wrong and result or nil, wrong end
  end
  if is_torn(rest, result.length > 0) then return result end
  return nil, problem or NOT_A_JOURNAL
end

return M
