--- The picture's file: whether it can be written, told before anything is paid for, and how it is shown.
local core = require "devkit4ai.core"
local exits = require "devkit4ai.cli.errors.exit_codes"
local text = require "devkit4ai.cli.output.terminal_text"

local M = {}

-- By program: the words that show a picture in a number of columns and rows. plain: the same for NO_COLOR.
local VIEWERS = {
  { name = "chafa", words = "chafa --size %dx%d", plain = "chafa --colors none --size %dx%d" },
  { name = "timg", words = "timg -g %dx%d" },
}

local SHARE = 2 / 3 -- of the terminal's rows that a picture takes at most

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

-- The name that was given is refused. A full disk is no fault of the name.
local function refuse(message)
  return exits.fail("file", message, exits.WRONG_USE)
end

local OUTPUT = { ["-"] = true, ["/dev/stdout"] = true, ["/dev/fd/1"] = true, ["/proc/self/fd/1"] = true }

--- Whether --out names standard output.
---@param path string?
---@return boolean
function M.is_output(path)
  return OUTPUT[path] == true
end

local function check_output(shell)
  if shell.json then
    return exits.fail("invalid", "--json and the picture both want standard output; give --out the name of a file")
  end
  if not core.writes(1) then return exits.fail("file", "standard output is closed; give --out the name of a file") end
  if core.terminal(1) then
    return exits.fail("invalid", "standard output is a terminal; redirect it, or give --out the name of a file")
  end
  return true
end

-- By the core's status: what is said of a file that can't be written.
local REFUSALS = {
  file_exists = "%s exists; give another name, or --overwrite",
  not_regular = "%s can't be written (%s); give the name of a file, or - for standard output",
}

--- Whether a picture can be written under this name; one file is made beside it and removed.
---@param path string? none: nothing is to be written
---@param overwrite boolean?
---@param shell devkit4ai.cli.Shell
---@return boolean? fine
---@return string? message
---@return table? err
function M.check(path, overwrite, shell)
  if not path then return true end
  if M.is_output(path) then return check_output(shell) end
  if path == "" or path:find("/$") then return refuse("--out must be the name of a file") end
  local fine, status, why = core.check_picture(path, overwrite or false)
  if fine then return true end
  local _, behind = why:find(path .. ": ", 1, true)
  local words = REFUSALS[status] or "%s can't be written (%s)"
  local message = words:format(path, behind and why:sub(behind + 1) or why)
  if status == "disk" then return exits.fail("file", message .. "; nothing was sent") end
  return refuse(message)
end

--- Shows a picture where standard output is a terminal and a program for it is there.
---@param shell devkit4ai.cli.Shell
---@param path string
function M.show(shell, path)
  local columns, rows = core.terminal(1)
  if shell.json or shell.quiet or not columns or os.getenv("TERM") == "dumb" then return end
  local colourless = (os.getenv("NO_COLOR") or "") ~= ""
  local name = path:find("^%-") and "./" .. path or path
  for _, viewer in ipairs(VIEWERS) do
    local words = colourless and viewer.plain or not colourless and viewer.words
    if words and is_there(viewer.name) then
      local size = words:format(columns, math.max(1, math.floor(rows * SHARE)))
      os.execute(("%s -- %s"):format(size, text.quote(name)))
      return
    end
  end
end

return M
