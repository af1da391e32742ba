-- A terminal of a given size, by tmux.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local M = {}

local TRIES = 400 -- reads of the screen, 0.05 s apart, before a wait fails

local Screen = {}
Screen.__index = Screen

local count = 0

--- Opens a terminal with a shell.
---@param columns integer
---@param env table<string, string>
---@param cwd string
function M.new(columns, env, cwd)
  count = count + 1
  local folder = child.folder()
  local self = setmetatable({ folder = folder, columns = columns }, Screen)
  self.tmux = ("TERM=xterm LC_ALL=C.UTF-8 tmux -u -f /dev/null -S %s/socket "):format(folder)
  local arguments = { "env", "-u", "CI", "-u", "NO_COLOR", "PS1='$ '" }
  for name, value in pairs(env) do arguments[#arguments + 1] = helper.quote(name .. "=" .. value) end
  arguments[#arguments + 1] = "sh"
  helper.shell(("%s new-session -d -x %d -y 24 -c %s %s"):format(self.tmux, columns, helper.quote(cwd),
    helper.quote(table.concat(arguments, " "))))
  self:wait "^%$"
  return self
end

--- Types a line.
function Screen:type(line)
  helper.shell(("%s send-keys -l -- %s && %s send-keys Enter"):format(self.tmux, helper.quote(line), self.tmux))
end

--- Presses a key, by tmux's name for it.
function Screen:press(key)
  helper.shell(self.tmux .. " send-keys " .. key)
end

--- The text on the screen. Lines that the terminal has wrapped are joined.
function Screen:text()
  return helper.shell(self.tmux .. " capture-pane -p -J")
end

--- Waits until the screen has the pattern; gives its text.
function Screen:wait(pattern)
  local text
  for _ = 1, TRIES do
    text = self:text()
    if text:find(pattern) then return text end
    os.execute("sleep 0.05")
  end
  error("the screen never showed " .. pattern .. ":\n" .. text, 2)
end

--- Closes the terminal.
function Screen:close()
  helper.shell(self.tmux .. " kill-server")
  child.remove(self.folder)
end

return M
