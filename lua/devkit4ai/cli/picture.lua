--- The picture's file: whether it can be written, told before anything is paid for, and how it is shown.
local core = require "devkit4ai.core"
local exits = require "devkit4ai.cli.exits"
local text = require "devkit4ai.cli.text"

local M = {}

-- By program: the words that show a picture. NO_COLOR: whether it can do without colours.
local VIEWERS = {
  { name = "chafa", words = "chafa", plain = "chafa --colors none" },
  { name = "timg", words = "timg" },
}

-- Not by os.execute: where SIGCHLD is ignored, it can't tell how a command ended.
local function succeeds(line)
  local pipe = io.popen(("if %s; then echo yes; fi"):format(line))
  local said = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return said == "yes"
end

local function is_there(program)
  return succeeds(("command -v %s >/dev/null 2>&1"):format(program))
end

local NO_ROOM = { [27] = true, [28] = true, [69] = true, [122] = true } -- EFBIG, ENOSPC, EDQUOT (macOS, Linux)

local PROBE = ("\0"):rep(65536) -- a full disk takes an empty file

local function try_to_write(path)
  local file, _, code = io.open(path, "wb")
  if not file then return nil, code end
  local done
  done, _, code = file:write(PROBE)
  if done then done, _, code = file:flush() end
  file:close()
  os.remove(path)
  return done, code
end

-- The name that was given is refused. A full disk is no fault of the name.
local function refuse(message)
  return exits.fail("file", message, exits.WRONG_USE)
end

--- Whether a picture can be written under this name; one file is made beside it and removed.
---@param path string? none: nothing is to be written
---@param overwrite boolean?
---@return boolean? fine
---@return string? message
---@return table? err
function M.check(path, overwrite)
  if not path then return true end
  if path == "" or path:find("/$") then return refuse("--out must be the name of a file") end
  local quoted = text.quote((path:gsub("^[^/]", "./%0")))
  if succeeds(("[ -e %s ] && [ ! -f %s ]"):format(quoted, quoted)) then
    return refuse(path .. " is a folder or a device; give the name of a file")
  end
  if not overwrite and succeeds(("[ -e %s ] || [ -L %s ]"):format(quoted, quoted)) then
    return refuse(path .. " exists; give another name, or --overwrite")
  end
  local done, code = try_to_write(("%s.%d.probe"):format(path, os.time()))
  if done then return true end
  local message = ("%s can't be written: %s"):format(path, core.reason(code))
  if NO_ROOM[code] then return exits.fail("file", message .. "; nothing was sent") end
  return refuse(message)
end

--- Shows a picture where standard output is a terminal and a program for it is there.
---@param shell devkit4ai.cli.Shell
---@param path string
function M.show(shell, path)
  if shell.json or shell.quiet or not core.terminal(1) or os.getenv("TERM") == "dumb" then return end
  local colourless = (os.getenv("NO_COLOR") or "") ~= ""
  local name = path:find("^%-") and "./" .. path or path
  for _, viewer in ipairs(VIEWERS) do
    local words = colourless and viewer.plain or not colourless and viewer.words
    if words and is_there(viewer.name) then
      os.execute(("%s -- %s"):format(words, text.quote(name)))
      return
    end
  end
end

return M
