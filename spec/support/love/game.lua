-- Games in LÖVE for specs: a virtual X server, and the game of examples/love with the driver that plays it.
local child = require "spec.support.process.child"

local M = {}

---@class spec.Game
---@field folder string the game's; the driver is its main.lua
---@field home string the parent of the save folder
local Game = {}
Game.__index = Game

local SAVE_FOLDER = "/love/devkit4ai-studio/"

local function shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "*a"
  assert(pipe:close(), text)
  return text
end

--- Why there can be no game here; nil: LÖVE and Xvfb are installed.
---@return string?
function M.missing()
  local found = os.execute "command -v love >/dev/null && command -v Xvfb >/dev/null"
  if found == true or found == 0 then return nil end
  return "LÖVE or Xvfb is not installed here: tools/packages love"
end

--- Starts a virtual screen; `stop` ends it.
---@return { display: string, stop: fun() }
function M.screen()
  local pipe = assert(io.popen("Xvfb -displayfd 1 -screen 0 1280x800x24 2>/dev/null & echo $!; wait"))
  local pid = pipe:read "*l"
  local display = ":" .. assert(pipe:read "*l", "Xvfb did not start")
  return { display = display, stop = function()
    os.execute("kill " .. pid)
    pipe:close()
  end }
end

--- The game of examples/love in a folder of its own.
---@param screen { display: string }
---@return spec.Game
function M.new(screen)
  local self = setmetatable({ _screen = screen, _top = child.folder() }, Game)
  self.folder, self.home = self._top .. "/studio", self._top .. "/home"
  shell(("mkdir %s %s"):format(self.folder, self.home))
  shell(("cp examples/love/*.lua %s && mv %s/main.lua %s/game.lua"):format(self.folder, self.folder, self.folder))
  shell(("cp spec/support/love/driver.lua %s/main.lua"):format(self.folder))
  return self
end

--- Packs the game and the library into studio.love, with the C modules beside it; fused: a program.
---@param is_fused boolean?
---@return string path
function Game:pack(is_fused)
  shell(("mkdir -p %s/devkit4ai && cp build/lua5.1/devkit4ai/core.so %s/devkit4ai"):format(self._top, self._top))
  shell(("cp -r lua/devkit4ai %s"):format(self.folder))
  shell(("cd %s && python3 -m zipfile -c %s/studio.love * "):format(self.folder, self._top))
  if is_fused then
    shell(("cat $(readlink -f $(command -v love)) %s/studio.love > %s/studio.bin && chmod +x %s/studio.bin"):format(
      self._top, self._top, self._top))
  end
  return self._top .. (is_fused and "/studio.bin" or "/studio.love")
end

--- Starts the game, which is played by a script.
---@param options { play: string, gateway: string?, home: string?, command: string? } command: in place of build/run love
---@return fun(): spec.Ended finish waits for its end
function Game:start(options)
  local variables = { DISPLAY = self._screen.display, XDG_DATA_HOME = options.home or self.home,
    GATEWAY = options.gateway or "http://127.0.0.1:1", PLAY = options.play }
  local words = {}
  for name, value in pairs(variables) do words[#words + 1] = ("%s='%s'"):format(name, (value:gsub("'", [['\'']]))) end
  local command = options.command or "build/run love " .. self.folder
  local pipe = assert(io.popen(("%s timeout -k 5 90 sh -c 'echo $$ >%s/pid; exec %s' >%s/out 2>%s/err; echo $?"):format(
    table.concat(words, " "), self._top, command, self._top, self._top)))
  return function()
    local code = tonumber(pipe:read "*a")
    pipe:close()
    return { code = code, out = child.read(self._top .. "/out"), err = child.read(self._top .. "/err") }
  end
end

--- Ends the game that was started last, by kill -9.
function Game:kill()
  os.execute("kill -9 " .. child.read(self._top .. "/pid"))
end

--- Plays the game to its end.
---@param options table of start
---@return spec.Ended
function Game:play(options)
  return self:start(options)()
end

--- A file of its save folder; nil: there is none.
---@param name string
---@return string?
function Game:saved(name)
  local file = io.open(self.home .. SAVE_FOLDER .. name, "rb")
  local text = file and file:read "*a"
  if file then file:close() end
  return text
end

function Game:remove()
  child.remove(self._top)
end

return M
