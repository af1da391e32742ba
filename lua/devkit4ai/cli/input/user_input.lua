--- Values that are no arguments: from standard input, a file, or a question on the terminal.
local bounded = require "devkit4ai.cli.input.limited_read"
local core = require "devkit4ai.core"
local exits = require "devkit4ai.cli.errors.exit_codes"

local M = {}

local MOST = 8192 -- bytes of a line; a token has 2 KB

local function of_input(what)
  local line = bounded.line(io.stdin, MOST)
  if line and line ~= "" then return line end
  return exits.fail("config", ("standard input holds no %s (its first line, at most %d bytes)"):format(what, MOST))
end

local function of_file(path, what)
  local input, _, code = io.open(path, "rb")
  local line
  if input then
    line, code = bounded.line(input, MOST)
    input:close()
  end
  if line and line ~= "" then return line end
  local why = code and "it can't be read: " .. core.reason(code)
    or ("it holds none (its first line, at most %d bytes)"):format(MOST)
  return exits.fail("file", ("%s of the file '%s': %s"):format(what, path, why), exits.WRONG_USE)
end

-- A pipeline or CI is never asked: it would wait for ever.
local function can_ask()
  return core.terminal(0) and core.terminal(2) and not os.getenv("CI")
end

--- Asks on the terminal.
---@param what string "password"
---@param shown boolean whether it shows while it is typed
---@param otherwise string what to do where nobody can be asked
---@return string? value
---@return string? message
---@return table? err
function M.question(what, shown, otherwise)
  if not can_ask() then
    return exits.fail("config", ("the %s is missing, and there is no terminal to ask on: %s"):format(what, otherwise))
  end
  local line, _, why = core.ask(("%s: "):format(what:gsub("^%l", string.upper)), shown)
  if line and line ~= "" then return line end
  return exits.fail("config", ("no %s was given"):format(what) .. (why and ": " .. why or ""))
end

--- A secret: of standard input where the option asks for it, of a file, else by a question that does not show it.
---@param what string "password"
---@param given { stdin: boolean?, file: string? }
---@param otherwise string
---@return string? value
---@return string? message
---@return table? err
function M.secret(what, given, otherwise)
  if given.stdin then return of_input(what) end
  if given.file then return of_file(given.file, what) end
  return M.question(what, false, otherwise)
end

return M
