--- Makes folders.
local errors = require "devkit4ai.cli.errors"
local shell_quote = require "devkit4ai.cli.output.shell_quote"

local M = {}

--- Makes a folder with its parents; one that is there already stays as it is.
---@param path string
---@param mode string? permissions of a new folder, such as "700"; default: those of the umask
---@return string? path
---@return string? message
---@return table? err
function M.make(path, mode)
  -- os.execute can't report how a command ended where the process ignores SIGCHLD.
  local pipe = io.popen(("LC_ALL=C mkdir -p %s-- %s 2>&1 && echo made"):format(mode and "-m " .. mode .. " " or "",
    shell_quote.word(path)))
  local answer = pipe and pipe:read "*a" or "there is no shell"
  if pipe then pipe:close() end
  if answer == "made\n" then return path end
  local reason = answer:match "([^:]*)\n$" or answer
  if reason:find "No space left" then reason = " the disk is full" end
  return errors.fail("file", ("the folder %s can't be made:%s"):format(path, reason))
end

return M
