--- The file of --out: checks that the image can be written there, before anything is paid for.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.cli.errors"
local system = require "devkit4ai.util.system"

local M = {}

local STDOUT = { ["-"] = true, ["/dev/stdout"] = true, ["/dev/fd/1"] = true, ["/proc/self/fd/1"] = true }

--- Whether --out names standard output.
---@param path string?
---@return boolean
function M.is_stdout(path)
  return STDOUT[path] == true
end

local function check_stdout(console)
  if console.json then
    return errors.fail("invalid", "--json and the image both need standard output; give --out the name of a file")
  end
  if not core.writes(1) then return errors.fail("file", "standard output is closed; give --out the name of a file") end
  if core.terminal(1) then
    return errors.fail("invalid", "standard output is a terminal; redirect it, or give --out the name of a file")
  end
  return true
end

-- By the core's status: the message about a path that can't be written.
local MESSAGES = {
  file_exists = "%s exists; give another name, or --overwrite",
  not_regular = "%s can't be written (%s); give the name of a file, or - for standard output",
}

--- Whether an image can be written to this path. The check creates a file beside it and removes it again.
---@param path string? nil: there is nothing to write
---@param overwrite boolean?
---@param console devkit4ai.cli.Console
---@return boolean? can_write
---@return string? message
---@return table? err
function M.check(path, overwrite, console)
  if not path then return true end
  if M.is_stdout(path) then return check_stdout(console) end
  if path == "" or path:find("[" .. system.SEPARATORS .. "]$") then
    return errors.fail("file", "--out must be the name of a file", errors.WRONG_USE)
  end
  local can_write, status, reason = core.check_picture(path, overwrite or false)
  if can_write then return true end
  local _, prefix_end = reason:find(path .. ": ", 1, true)
  local message = (MESSAGES[status] or "%s can't be written (%s)"):format(path,
    prefix_end and reason:sub(prefix_end + 1) or reason)
  if status == "disk" then return errors.fail("file", message .. "; nothing was sent") end
  return errors.fail("file", message, errors.WRONG_USE)
end

return M
