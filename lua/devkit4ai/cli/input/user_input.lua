--- Values that are not arguments: from standard input, from a file, or from a question on the terminal.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.cli.errors"
local limited_read = require "devkit4ai.cli.input.limited_read"

local M = {}

local MAX_LINE = 8192 -- bytes; a token has about 2 KB

local function read_stdin(name)
  local line = limited_read.line(io.stdin, MAX_LINE)
  if line and line ~= "" then return line end
  return errors.fail("config",
    ("standard input has no %s: write it on the first line (at most %d bytes)"):format(name, MAX_LINE))
end

local function read_file(path, name)
  local input, _, code = io.open(path, "rb")
  local line
  if input then
    line, code = limited_read.line(input, MAX_LINE)
    input:close()
  end
  if line and line ~= "" then return line end
  local message = code and ("the file '%s' can't be read: %s"):format(path, core.reason(code))
    or ("the file '%s' has no %s: write it on the first line (at most %d bytes)"):format(path, name, MAX_LINE)
  return errors.fail("file", message, errors.WRONG_USE)
end

-- A script or a CI job must not wait for an answer that nobody types.
local function can_ask()
  return core.terminal(0) and core.terminal(2) and not os.getenv("CI")
end

--- Asks a question on the terminal.
---@param name string of the value, such as "password"
---@param echo boolean whether the terminal shows the answer
---@param instead string what to do where there is no terminal
---@return string? value
---@return string? message
---@return table? err
function M.ask(name, echo, instead)
  if not can_ask() then
    return errors.fail("config", ("the %s is missing, and there is no terminal to ask on: %s"):format(name, instead))
  end
  local line, _, reason = core.ask(("%s: "):format(name:gsub("^%l", string.upper)), echo)
  if line and line ~= "" then return line end
  return errors.fail("config", ("no %s was given"):format(name) .. (reason and ": " .. reason or ""))
end

--- Reads a secret: from standard input or a file where an option says so, else by a question without echo.
---@param name string of the value
---@param source { stdin: boolean?, file: string? }
---@param instead string what to do where there is no terminal
---@return string? value
---@return string? message
---@return table? err
function M.read_secret(name, source, instead)
  if source.stdin then return read_stdin(name) end
  if source.file then return read_file(source.file, name) end
  return M.ask(name, false, instead)
end

return M
