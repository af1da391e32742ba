--- Input and output of one run of the command: data on standard output, messages on standard error, secrets redacted.
local core = require "devkit4ai.core"
local display = require "devkit4ai.util.display"
local json = require "devkit4ai.cli.output.json"
local terminal_text = require "devkit4ai.cli.output.terminal_text"

---@class devkit4ai.cli.Console
---@field json boolean data is written as JSON
---@field quiet boolean standard error gets only failures
---@field verbose boolean
---@field output_error string? why standard output takes no more data
---@field output_error_reported boolean? a message already has that reason
---@field reader_gone boolean? the reader of the pipe has closed it, as `head` does
---@field recovery devkit4ai.cli.Recovery? the generation that the command creates or continues
---@field command_line string[] the words that start this command again
---@field common_options string the common options of this run, for a suggested command line
---@field parser table argparse's parser
---@field command_parsers table<string, table> the parsers of the commands, by name
local Console = {}
Console.__index = Console

local M = {}

---@param options { json: boolean? }
---@return devkit4ai.cli.Console
function M.new(options)
  return setmetatable({
    json = options.json or false, quiet = false, verbose = false, common_options = "", _secrets = {},
  }, Console)
end

local MIN_SECRET = 4 -- characters; a shorter value would match parts of ordinary words

--- Redacts a value in all later output.
---@param secret string
function Console:hide_secret(secret)
  if #secret >= MIN_SECRET then table.insert(self._secrets, (secret:gsub("%p", "%%%0"))) end
end

--- A text with *** in place of each secret.
---@param text string
---@return string
function Console:redact(text)
  for _, secret in ipairs(self._secrets) do text = text:gsub(secret, "***") end
  return text
end

-- Redacts values before they are encoded: JSON may escape characters of a secret.
local function redact_record(self, record)
  local copy = {}
  for name, value in pairs(record) do
    if type(value) == "string" then value = self:redact(value) end
    if type(value) == "table" then value = redact_record(self, value) end
    copy[name] = value
  end
  return copy
end

local EPIPE = 32 -- on Linux, the BSDs and macOS

--- Writes bytes to standard output without a change.
---@param bytes string
function Console:write(bytes)
  if self.output_error then return end
  local done, reason, code = io.stdout:write(bytes)
  if done then done, reason, code = io.stdout:flush() end
  if done then return end
  self.reader_gone = code == EPIPE
  self.output_error = "standard output can't be written: " .. (code and core.reason(code) or tostring(reason))
end

--- Writes text to standard output that may hold a secret on purpose.
---@param text string
function Console:print(text)
  self:write(text .. "\n")
end

--- Writes one record: as a line of JSON, or as text for a person.
---@param record table
---@param text string?
function Console:print_record(record, text)
  if self.json then
    self:print(json.encode(redact_record(self, record)))
  elseif text then
    self:print(display.lines(self:redact(text)))
  end
end

--- Writes a list: a line of JSON for each record, or a table for a person.
---@param records table[]
---@param cells_of fun(record: table): string[]
---@param uncut boolean? a narrow terminal cuts no cell
function Console:print_list(records, cells_of, uncut)
  local rows = {}
  for i, record in ipairs(records) do
    if self.json then self:print_record(record) end
    rows[i] = cells_of(record)
    for j, cell in ipairs(rows[i]) do rows[i][j] = display.text(self:redact(cell)) end
  end
  if self.json then return end
  for _, line in ipairs(terminal_text.align(rows, not uncut and core.terminal(1) or nil)) do self:print(line) end
end

local function write_message(self, text)
  io.stderr:write(display.lines(self:redact(text)), "\n")
end

--- Writes a message to standard error, unless --quiet is set.
---@param text string
function Console:info(text)
  if not self.quiet then write_message(self, text) end
end

--- Writes a detail to standard error, if --verbose is set.
---@param text string
function Console:debug(text)
  if self.verbose then write_message(self, text) end
end

--- Writes a failure to standard error.
---@param text string
function Console:error(text)
  write_message(self, "devkit4ai: " .. text)
end

--- The width of the terminal for progress output; nil: no terminal, TERM=dumb or --quiet.
---@return integer?
function Console:progress_columns()
  return not self.quiet and os.getenv("TERM") ~= "dumb" and core.terminal(2) or nil
end

return M
