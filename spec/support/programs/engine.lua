-- Builds and runs examples/engine in a folder: a spec types its input, reads its output, and saves its game again.
local child = require "spec.support.process.child"

local M = {}

-- The environment of the game: the tree's paths are not in it, so that the lines of the comment say all that is needed.
local CLEAN = "env -u LUA_PATH -u LUA_CPATH -u LUA_PATH_5_4 -u LUA_CPATH_5_4"
local VARIABLES = {
  base_url = "DEVKIT4AI_BASE_URL", developer_key = "DEVKIT4AI_DEVELOPER_KEY", project_id = "DEVKIT4AI_PROJECT_ID",
  project_key = "DEVKIT4AI_PROJECT_KEY", access_token = "DEVKIT4AI_JWT_TOKEN",
}
local LOADS = "^engine: Lua has (%d+) bytes in (%d+) blocks; loading "

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

-- Runs a shell command; raises with its output if it fails.
local function run(command)
  local pipe = assert(io.popen("(" .. command .. "\n) 2>&1 </dev/null; echo $?", "r"))
  local text, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
  pipe:close()
  if code ~= "0" then error(text, 2) end
  return text
end

-- The indented lines of the comment of engine.c: those that build it, and the one that runs it.
local function lines_of_comment()
  local lines = {}
  local comment = child.read "examples/engine/engine.c":match "^/%*(.-)%*/"
  for line in comment:gmatch " %*   ([^\n]*\n)" do lines[#lines + 1] = line end
  return table.concat(lines, "", 1, #lines - 1), lines[#lines]
end

-- Runs lines of shell in the folder.
local function run_in(folder, lines)
  write(folder .. "/lines.sh", lines)
  return run(("cd %s && %s bash -e lines.sh"):format(folder, CLEAN))
end

--- Copies the files of the tree that the lines of the comment need into a new folder. The caller removes it.
---@return string folder
function M.folder()
  local folder = child.folder()
  run("cp -r LICENSE Makefile examples include lua src tools " .. folder)
  return folder
end

--- Builds the engine by the lines of its comment.
---@param folder string
---@param name string? of the program; default: engine, as in the comment
---@param compiler string? in place of cc, with options
---@param changes table<string, string>? texts of engine.c, and what replaces them
function M.build(folder, name, compiler, changes)
  local text = child.read "examples/engine/engine.c"
  for old, new in pairs(changes or {}) do
    local from, to = text:find(old, 1, true)
    text = text:sub(1, from - 1) .. new .. text:sub(to + 1)
  end
  write(folder .. "/examples/engine/engine.c", text)
  run_in(folder, (lines_of_comment():gsub("cc %-o engine", ("%s -o %s"):format(compiler or "cc", name or "engine"))))
end

--- Runs the engine by the last line of the comment, without input. Returns what it prints.
---@param folder string
---@return string
function M.run_comment(folder)
  return run_in(folder, select(2, lines_of_comment()))
end

---@class spec.Engine a program that runs
---@field lines string[] of its output, as far as they were read
local Engine = {}
Engine.__index = Engine

-- The next line of the output; raises at its end.
local function read_line(self)
  local line = self._output:read("*l")
  if not line or line:find "^exit %d+$" then
    error(("the engine has ended: %s\n%s"):format(tostring(line), self:errors()), 3)
  end
  self.lines[#self.lines + 1] = line
end

--- The first line of the output that has a pattern; waits for it.
---@param pattern string
---@param from integer? the number of the first line that counts; default 1
---@return string line
function Engine:wait(pattern, from)
  local i = from or 1
  while true do
    if not self.lines[i] then read_line(self) end
    if self.lines[i]:find(pattern) then return self.lines[i] end
    i = i + 1
  end
end

--- Types a line.
function Engine:type(line)
  self._input:write(line, "\n")
end

--- The end of the input.
function Engine:close_input()
  self._input:close()
end

--- Saves the game's Lua, and waits until the engine has closed the state before. Raises if memory of that state is left.
---@param text string? default: the game as it is
function Engine:save(text)
  local from = #self.lines + 1
  write(self._folder .. "/game.lua.new", text or self._game)
  assert(os.rename(self._folder .. "/game.lua.new", self._folder .. "/game.lua"))
  local bytes, blocks = self:wait(LOADS, from):match(LOADS)
  if bytes .. blocks ~= "00" then error(("%s bytes in %s blocks are left"):format(bytes, blocks), 2) end
end

--- What it wrote to its standard error.
---@return string
function Engine:errors()
  return child.read(self._folder .. "/errors")
end

--- Sends a signal.
function Engine:signal(name)
  os.execute(("kill -%s %d"):format(name, self._process))
end

--- Waits for its end.
---@return integer code
function Engine:finish()
  local code = self._output:read("*a"):match "exit (%d+)\n$"
  self._output:close()
  self.has_ended = true
  return tonumber(code)
end

--- Ends it by kill -9. Safe to repeat.
function Engine:kill()
  if self.has_ended then return end
  self:signal "KILL"
  self:finish()
end

local function environment(options)
  local words = { CLEAN }
  for option, variable in pairs(VARIABLES) do words[#words + 1] = ("%s=%s"):format(variable, options[option]) end
  return table.concat(words, " ")
end

--- Runs another copy of a built engine in its folder, without input, to its end. Returns what it prints.
---@param folder string
---@param name string of the program
---@param options devkit4ai.Options of its client
---@return string
function M.run_copy(folder, name, options)
  return run(("cd %s && %s ./%s game.lua"):format(folder, environment(options), name))
end

--- Starts a built engine.
---@param folder string
---@param name string of the program
---@param options devkit4ai.Options of its client
---@param image_bytes integer? size of the image; default: the game's own image
---@return spec.Engine
function M.start(folder, name, options, image_bytes)
  local game = child.read "examples/engine/game.lua"
  game = game:gsub("PAUSES = %b{}", "PAUSES = { 0.05, 0.05, 0.05 }")
  if image_bytes then
    write(folder .. "/image.jpg", "\255\216\255" .. ("x"):rep(image_bytes - 3))
    game = game:gsub('IMAGE = "[^"]*"', 'IMAGE = "image.jpg"')
  end
  write(folder .. "/game.lua", game)
  run(("cd %s && rm -f input && mkfifo input"):format(folder))
  local self = setmetatable({ lines = {}, _folder = folder, _game = game }, Engine)
  self._output = assert(io.popen(([[
    cd %s
    sh -c 'echo $$; exec %s ./%s game.lua' <input 2>errors
    echo "exit $?"]]):format(folder, environment(options), name), "r"))
  self._input = assert(io.open(folder .. "/input", "r+")) -- "+": the spec survives a write after the engine has ended
  self._input:setvbuf "no"
  self._process = tonumber(self._output:read("*l"))
  self:wait(LOADS)
  return self
end

return M
