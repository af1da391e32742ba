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

--- Whether a picture can be written under this name; one file is made beside it and removed.
---@param path string? none: nothing is to be written
---@param overwrite boolean?
---@return boolean? fine
---@return string? message
---@return table? err
function M.check(path, overwrite)
  if not path then return true end
  local there = io.open(path, "rb")
  if there then
    local _, trouble = there:read(1)
    there:close()
    if trouble then return exits.fail("file", ("%s: %s; give the name of a file"):format(path, trouble)) end
    if not overwrite then return exits.fail("file", path .. " exists; give another name, or --overwrite") end
  end
  if path == "" or path:find("/$") then return exits.fail("file", "--out must be the name of a file") end
  local probe = ("%s.%d.probe"):format(path, os.time())
  local file, why = io.open(probe, "wb")
  if not file then return exits.fail("file", ("%s can't be written (%s)"):format(path, why)) end
  file:close()
  os.remove(probe)
  return true
end

local function is_there(program)
  local pipe = io.popen(("command -v %s 2>/dev/null"):format(program))
  local found = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return found ~= nil
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
