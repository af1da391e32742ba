--- Reads a journal: whole lines, in order. A last line without its end is what a write left that a crash interrupted.
local format = require "devkit4ai.batch.journal.format"
local states_module = require "devkit4ai.batch.journal.state"

local M = {}

local PIECE = 256 * 1024 -- bytes
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

local function add_line(result, line)
  result.lines = result.lines + 1
  local record, sum = format.decode(line, result.sum)
  if result.lines == 1 then
    if not record or record.journal ~= format.VERSION then return first_problem(line) end
    result.states.batch = record.batch
  elseif not (record and result.states:add(record)) then
    return DAMAGED:format(result.lines)
  end
  result.sum, result.length = sum, result.length + #line + 1
end

-- Adds the whole lines of a text; gives what follows the last one, and the problem with a line.
local function add_lines(result, text)
  local at = 1
  while true do
    local stop = text:find("\n", at, true)
    if not stop then return text:sub(at) end
    local problem = add_line(result, text:sub(at, stop - 1))
    if problem then return text:sub(at), problem end
    at = stop + 1
  end
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
---@field sum string of the last line
---@field length integer bytes of the whole lines

--- Reads a journal.
---@param file userdata core.journal's, or a table with its function read
---@return devkit4ai.batch.JournalText? result
---@return string? problem
function M.read(file)
  local result = { states = states_module.new(), lines = 0, sum = "", length = 0 }
  local offset, rest, problem = 0, "", nil
  while true do
    local text, _, why = file:read(offset, PIECE)
    if not text then return nil, why end
    if text == "" then break end
    offset = offset + #text
    if problem then rest = rest .. text else rest, problem = add_lines(result, rest .. text) end
    if problem and not rest:find("\0", 1, true) then return nil, problem end
  end
  if is_torn(rest, result.length > 0) then return result end
  return nil, problem or NOT_A_JOURNAL
end

return M
