--- The file of settings: lines `name = value`, and comments. Its owner alone can read it; it is replaced whole or not at all.
local core = require "devkit4ai.core"
local exits = require "devkit4ai.cli.errors.exit_codes"
local text = require "devkit4ai.cli.output.terminal_text"

local M = {}

local TURN = 2 -- seconds that a writer waits for another one
local TRY = 0.01 -- seconds between two tries

--- The folder of settings and sessions; nil: the environment names none.
---@return string?
function M.folder()
  local base = os.getenv("XDG_CONFIG_HOME")
  if not base or base:sub(1, 1) ~= "/" then -- one that is relative does not count
    local home = os.getenv("HOME")
    base = home and home ~= "" and home .. "/.config"
  end
  return base and base .. "/devkit4ai"
end

--- Makes the folder, for its owner alone.
---@return string? folder
---@return string? message
---@return table? err
function M.make_folder()
  local folder = M.folder()
  if not folder then return exits.fail("file", "there is no place for settings: set HOME or XDG_CONFIG_HOME") end
  -- os.execute does not know how a command ended where the process ignores SIGCHLD
  local pipe = io.popen(("LC_ALL=C mkdir -p -m 700 -- %s 2>&1 && echo made"):format(text.quote(folder)))
  local said = pipe and pipe:read("*a") or "there is no shell"
  if pipe then pipe:close() end
  if said == "made\n" then return folder end
  local why = said:match "([^:]*)\n$" or said
  if why:find "No space left" then why = " the disk is full" end
  return exits.fail("file", ("the folder %s can't be made:%s"):format(folder, why))
end

--- What a file that was refused needs.
---@param path string
---@param why string
---@return nil
---@return string message
---@return table err
function M.refused(path, why)
  local line = why:find("chmod 600", 1, true) and ("\n  chmod 600 %s"):format(text.quote(path)) or ""
  return exits.fail("file", why .. line)
end

local function damaged(path, number, why)
  return exits.fail("file", ("%s: line %d %s; nothing was changed; repair that line"):format(path, number, why))
end

-- The lines of a file; a last one without its end was cut off, and so may its value be.
local function split(path, content)
  local lines = {}
  for line, stop in content:gmatch("([^\n]*)(\n?)") do
    if stop == "" and line ~= "" then
      return damaged(path, #lines + 1, "is cut off: it does not end with a line feed")
    end
    if stop ~= "" then lines[#lines + 1] = line end
  end
  return lines
end

local function parse(path, lines, known)
  local values, places = {}, {}
  for number, line in ipairs(lines) do
    if line:find("%S") and not line:find("^%s*#") then
      local name, value = line:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
      if not name then return damaged(path, number, "is no `name = value`") end
      if not known[name] then return damaged(path, number, ("has an unknown name: %s"):format(name)) end
      if line:find("%c") or value == "" then return damaged(path, number, "has no value that can be used") end
      values[name], places[name] = value, number
    end
  end
  return values, places
end

local function read(path, known)
  local content, _, why = core.load(path)
  if content == nil then return M.refused(path, why) end
  local lines, message, err = split(path, content or "")
  if not lines then return nil, message, err end
  local values, places
  values, places, err = parse(path, lines, known)
  if not values then return nil, places, err end
  return values, places, lines
end

--- Whether there is a file.
---@return boolean
function M.exists()
  local folder = M.folder()
  local input = folder and io.open(folder .. "/config")
  if input then input:close() end
  return input ~= nil
end

--- What stands in the file.
---@param known table<string, any> names that may stand there
---@return table<string, string>? values
---@return string? path; the message, where values is nil
---@return table? err
function M.read(known)
  local folder = M.folder()
  if not folder then return {}, nil end
  local path = folder .. "/config"
  local values, message, err = read(path, known)
  if not values then return nil, message, err end
  return values, path
end

local function change(path, known, name, value)
  local values, places, lines = read(path, known)
  if not values then return nil, places, lines end
  local at = places[name]
  if value then
    lines[at or #lines + 1] = ("%s = %s"):format(name, value)
  elseif at then
    table.remove(lines, at)
  end
  local done, _, why = core.save(path, table.concat(lines, "\n") .. (#lines > 0 and "\n" or ""))
  if not done then return M.refused(path, why) end
  return path
end

-- The lock of the file; the command has nothing else to do meanwhile.
local function take_turn(path)
  local last = core.now() + TURN
  local target, _, reason = core.target(path) -- beside the file itself, where links lead to it
  if not target then return nil, reason end
  repeat
    local turn, _, why = core.lock(target .. ".lock")
    if turn ~= false then return turn, why end
    core.pause(TRY)
  until core.now() > last
  return nil, path .. ": another program is writing it"
end

--- Writes one value, or takes it out; other lines, comments too, stay as they are.
---@param known table<string, any>
---@param name string
---@param value string?
---@return string? path
---@return string? message
---@return table? err
function M.write(known, name, value)
  local folder, message, err = M.make_folder()
  if not folder then return nil, message, err end
  local path = folder .. "/config"
  local turn, why = take_turn(path)
  if not turn then return exits.fail("file", why) end
  local done
  done, message, err = change(path, known, name, value)
  turn:release()
  return done, message, err
end

return M
