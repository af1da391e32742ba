--- The settings file: lines `name = value` and comments. Only its owner can read it. A write replaces the whole file.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.cli.errors"
local folders = require "devkit4ai.cli.output.folder"
local shell_quote = require "devkit4ai.cli.output.shell_quote"
local system = require "devkit4ai.util.system"

local M = {}

local LOCK_TIMEOUT = 2 -- seconds that a writer waits for another writer
local LOCK_RETRY = 0.01 -- seconds between two tries

local VARIABLES = system.is_windows and "APPDATA" or "HOME or XDG_CONFIG_HOME"

--- The folder of the settings and the logins; nil: the environment names none.
---@return string?
function M.folder()
  local roaming = system.is_windows and os.getenv "APPDATA"
  if roaming and roaming ~= "" then return roaming .. "\\devkit4ai" end
  local base = os.getenv("XDG_CONFIG_HOME")
  if not base or base:sub(1, 1) ~= "/" then -- the XDG specification ignores a relative path
    local home = os.getenv("HOME")
    base = home and home ~= "" and home .. "/.config"
  end
  return base and base .. "/devkit4ai"
end

--- Makes the folder. Only its owner can read it.
---@return string? folder
---@return string? message
---@return table? err
function M.make_folder()
  local folder = M.folder()
  if not folder then return errors.fail("file", ("there is no place for settings: set %s"):format(VARIABLES)) end
  return folders.make(folder, true)
end

--- The failure of a file that the core refused, with the command that corrects its permissions.
---@param path string
---@param reason string
---@return nil
---@return string message
---@return table err
function M.refused(path, reason)
  local line = reason:find("chmod 600", 1, true) and ("\n  chmod 600 %s"):format(shell_quote.word(path)) or ""
  return errors.fail("file", reason .. line)
end

local function damaged(path, number, reason)
  return errors.fail("file", ("%s: line %d %s; nothing was changed; repair that line"):format(path, number, reason))
end

-- The lines of the file. A last line without a line end may be cut off, and its value too.
local function split(path, content)
  local lines = {}
  for line, line_end in content:gmatch("([^\n]*)(\n?)") do
    if line_end == "" and line ~= "" then
      return damaged(path, #lines + 1, "is cut off: it does not end with a line feed")
    end
    if line_end ~= "" then lines[#lines + 1] = line end
  end
  return lines
end

local function parse(path, lines, known)
  local values, numbers = {}, {}
  for number, line in ipairs(lines) do
    if line:find("%S") and not line:find("^%s*#") then
      local name, value = line:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
      if not name then return damaged(path, number, "is no `name = value`") end
      if not known[name] then return damaged(path, number, ("has an unknown name: %s"):format(name)) end
      if line:find("%c") or value == "" then return damaged(path, number, "has no value that can be used") end
      values[name], numbers[name] = value, number
    end
  end
  return values, numbers
end

local function load(path, known)
  local content, _, reason = core.load(path)
  if content == nil then return M.refused(path, reason) end
  local lines, message, err = split(path, content or "")
  if not lines then return nil, message, err end
  local values, numbers
  values, numbers, err = parse(path, lines, known)
  if not values then return nil, numbers, err end
  return values, numbers, lines
end

--- Whether the file exists.
---@return boolean
function M.exists()
  local folder = M.folder()
  local input = folder and io.open(folder .. "/config")
  if input then input:close() end
  return input ~= nil
end

--- The values in the file.
---@param known table<string, any> names that the file may have
---@return table<string, string>? values
---@return string? path the message, where values is nil
---@return table? err
function M.read(known)
  local folder = M.folder()
  if not folder then return {}, nil end
  local path = folder .. "/config"
  local values, message, err = load(path, known)
  if not values then return nil, message, err end
  return values, path
end

local function change(path, known, name, value)
  local values, numbers, lines = load(path, known)
  if not values then return nil, numbers, lines end
  local number = numbers[name]
  if value then
    lines[number or #lines + 1] = ("%s = %s"):format(name, value)
  elseif number then
    table.remove(lines, number)
  end
  local done, _, reason = core.save(path, table.concat(lines, "\n") .. (#lines > 0 and "\n" or ""))
  if not done then return M.refused(path, reason) end
  return path
end

-- Takes the lock of the file. It is beside the target of a symbolic link, not beside the link.
local function take_lock(path)
  local deadline = core.now() + LOCK_TIMEOUT
  local target, _, message = core.target(path)
  if not target then return nil, message end
  repeat
    local lock, _, reason = core.lock(target .. ".lock")
    if lock ~= false then return lock, reason end
    core.pause(LOCK_RETRY)
  until core.now() > deadline
  return nil, path .. ": another program is writing it"
end

--- Writes or removes one value. The other lines and the comments stay.
---@param known table<string, any>
---@param name string
---@param value string? nil removes it
---@return string? path
---@return string? message
---@return table? err
function M.write(known, name, value)
  local folder, message, err = M.make_folder()
  if not folder then return nil, message, err end
  local path = folder .. "/config"
  local lock, reason = take_lock(path)
  if not lock then return errors.fail("file", reason) end
  local done
  done, message, err = change(path, known, name, value)
  lock:release()
  return done, message, err
end

return M
