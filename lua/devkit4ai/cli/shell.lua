--- What a command has of the shell that it runs in: standard output for data, standard error for all else, masks.
local core = require "devkit4ai.core"
local display = require "devkit4ai.util.display"
local json = require "devkit4ai.cli.json"
local text = require "devkit4ai.cli.text"

---@class devkit4ai.cli.Shell
---@field json boolean data goes out as JSON
---@field quiet boolean nothing but failures on standard error
---@field verbose boolean
---@field again string the common options that were given, for a line that goes on
---@field broken string? why standard output takes no more
---@field told boolean? that it takes no more is told
---@field gone boolean? because its reader has gone, as `head` does
---@field order devkit4ai.cli.Order? the generation that the command creates or continues
---@field words string[] those that run the command again
---@field parser table argparse's
---@field parsers table<string, table> those of the commands
local Shell = {}
Shell.__index = Shell

local M = {}

---@param options table of the command line
---@return devkit4ai.cli.Shell
function M.new(options)
  return setmetatable({
    json = options.json or false, quiet = options.quiet or false, verbose = options.verbose or false, again = "",
    _secrets = {},
  }, Shell)
end

local SHORTEST = 4 -- characters; a shorter value would be found in any text

--- Hides a value in whatever goes out from now on.
---@param secret string
function Shell:hide(secret)
  if #secret >= SHORTEST then table.insert(self._secrets, (secret:gsub("%p", "%%%0"))) end
end

--- A text with *** in the place of each secret.
---@param words string
---@return string
function Shell:masked(words)
  for _, secret in ipairs(self._secrets) do words = words:gsub(secret, "***") end
  return words
end

-- A copy of a record; the masks stand in its values, since JSON may write a secret in other letters.
local function masked_values(self, record)
  local copy = {}
  for name, value in pairs(record) do
    if type(value) == "string" then value = self:masked(value) end
    if type(value) == "table" then value = masked_values(self, value) end
    copy[name] = value
  end
  return copy
end

local EPIPE = 32 -- on Linux, the BSDs and macOS

local function write(self, words)
  if self.broken then return end
  local done, why, code = io.stdout:write(words)
  if done then done, why, code = io.stdout:flush() end
  if done then return end
  self.gone = code == EPIPE
  self.broken = "standard output can't be written: " .. (code and core.reason(code) or tostring(why))
end

--- Writes bytes as they are.
---@param bytes string
function Shell:write(bytes)
  write(self, bytes)
end

--- Writes data that holds a secret on purpose.
---@param words string
function Shell:show(words)
  write(self, words .. "\n")
end

--- Gives data: the record as a line of JSON, or the words for a person.
---@param record table
---@param words string?
function Shell:give(record, words)
  if self.json then
    write(self, json.encode(masked_values(self, record)) .. "\n")
  elseif words then
    write(self, display.lines(self:masked(words)) .. "\n")
  end
end

--- Gives a list: a line of JSON each, or a table for a person.
---@param records table[]
---@param row_of fun(record: table): string[]
---@param whole boolean? nothing is cut on a narrow terminal
function Shell:list(records, row_of, whole)
  local rows = {}
  for i, record in ipairs(records) do
    if self.json then self:give(record) end
    rows[i] = row_of(record)
    for j, cell in ipairs(rows[i]) do rows[i][j] = display.text(self:masked(cell)) end
  end
  if self.json then return end
  for _, line in ipairs(text.columns(rows, not whole and core.terminal(1) or nil)) do write(self, line .. "\n") end
end

-- One that is closed can be told of nowhere.
local function complain(self, words)
  io.stderr:write(display.lines(self:masked(words)), "\n")
end

--- Tells a person something, unless it is to be quiet.
---@param words string
function Shell:tell(words)
  if not self.quiet then complain(self, words) end
end

--- Tells details, where they are wanted.
---@param words string
function Shell:detail(words)
  if self.verbose then complain(self, words) end
end

--- Tells of a failure.
---@param words string
function Shell:complain(words)
  complain(self, "devkit4ai: " .. words)
end

--- The columns of the terminal that shows what is under way; nil: it is none, a dumb one, or to be quiet.
---@return integer?
function Shell:columns()
  return not self.quiet and os.getenv("TERM") ~= "dumb" and core.terminal(2) or nil
end

return M
