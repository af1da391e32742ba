--- Failures of the command itself, in the form of the library's: nil, message, err.
local exit_codes = require "devkit4ai.cli.errors.exit_codes"

local M = { WRONG_USE = exit_codes.WRONG_USE }

--- A failure before any request was sent.
---@param kind string as err.kind of the library
---@param message string
---@param exit_code integer? instead of the exit code of the kind
---@return nil
---@return string message
---@return table err
function M.fail(kind, message, exit_code)
  return nil, message, { kind = kind, outcome = "not_sent", message = message, exit_code = exit_code }
end

--- A failure to write the result to standard output. The server has done the request, so the outcome is not `not_sent`.
---@param console devkit4ai.cli.Console
---@param message string it has the reason
---@param command string? the command line that undoes the request
---@return nil
---@return string message
---@return table err
function M.not_shown(console, message, command)
  console.output_error_reported = true
  return nil, message, { kind = "file", outcome = "unknown", message = message, command = command }
end

--- A name in a message. It may be a key in the wrong place, so only a short plain word is shown.
---@param name string
---@param instead string
---@return string
function M.shown_name(name, instead)
  return #name <= 32 and name:find "^[a-z][a-z_]*$" and ("'%s'"):format(name) or instead
end

return M
