-- Runs Lua scripts on Windows: in wine without a screen, with the files of the archive that `tools/windows` makes. A script finds
-- the sandbox or a test server of the spec on loopback, and reads and writes files of this system, below drive Z:.
local child = require "spec.support.process.child"

local M = {}

local WINE = "/usr/lib/wine/wine64"
local HUNG = 250 -- seconds after which a hanging process is killed; no test depends on this time

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function quote(text) return "'" .. text:gsub("'", [['\'']]) .. "'" end

local root = capture "pwd":gsub("\n", "")
local build = root .. "/build/windows"
local unpacked, folders = nil, {}

--- Unpacks the archive to a new folder whose name has a space. Call it before the tests, and M.remove_all after them.
function M.unpack()
  unpacked = M.folder() .. "/the game"
  assert(capture(("mkdir %s && cd %s && unzip -q %s && echo done"):format(quote(unpacked), quote(unpacked),
    quote(build .. "/devkit4ai-windows-x64.zip"))) == "done\n")
  unpacked = unpacked .. "/devkit4ai-windows-x64"
end

--- A new folder, which M.remove_all removes.
function M.folder()
  folders[#folders + 1] = child.folder()
  return folders[#folders]
end

function M.remove_all()
  for _, folder in ipairs(folders) do child.remove(folder) end
  folders = {}
end

--- The folder of the command's settings here, which wine always names in APPDATA.
function M.settings_folder()
  return ("%s/wine/drive_c/users/%s/AppData/Roaming/devkit4ai"):format(build, capture "id -un":match "[^\n]+")
end

--- The path of a file as Windows spells it.
---@param path string absolute
---@return string
function M.path(path)
  return "Z:" .. path:gsub("/", "\\")
end

local INTERPRETERS = { ["lua5.4"] = "lua5.4/lua.exe", luajit = "luajit/luajit.exe" }

-- A module path: Lua files of the archive, or the modules of a folder.
local function search_paths(lua, modules)
  local archive = M.path(unpacked)
  return {
    LUA_PATH = ([[%s\lua\?.lua;%s\lua\?\init.lua;Z:\usr\share\lua\5.4\?.lua]]):format(archive, archive),
    LUA_CPATH = ([[%s\?.dll;%s\%s\?.dll]]):format(modules and M.path(build .. "/" .. modules) or ".", archive, lua),
  }
end

---@class spec.WineProcess
---@field pid integer of the process in this system
---@field output string path of the file with its standard output; and errors: of its standard error
local Process = {}
Process.__index = Process

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- The environment of a script, as words for env.
local function environment(lua, options)
  local env, words = search_paths(lua, options.modules), { "-i" }
  for name, value in pairs(options.env or {}) do env[name] = value end
  env.HOME, env.PATH, env.LC_ALL = os.getenv "HOME", os.getenv "PATH", "C.UTF-8"
  env.WINEPREFIX, env.WINEDEBUG, env.WINEDLLOVERRIDES = build .. "/wine", "-all", "mscoree,mshtml="
  for name, value in pairs(env) do words[#words + 1] = quote(name .. "=" .. value) end
  return table.concat(words, " ")
end

--- Starts a script.
---@param lua string lua5.4 or luajit
---@param script string Lua; its `...` are options.args
---@param options table? args: a list of texts; env: variables; input: the text of standard input, or "pipe", which stays open;
---  modules: a folder of build/windows whose core.dll comes before the archive's
---@return spec.WineProcess
function M.start(lua, script, options)
  options = options or {}
  local folder = M.folder()
  local self = setmetatable({}, Process)
  self.output, self.errors, self._code = folder .. "/out", folder .. "/err", folder .. "/code"
  write(folder .. "/script.lua", script)
  write(folder .. "/input", options.input or "")
  local interpreter = M.path(build .. "/libraries/" .. INTERPRETERS[lua])
  local words = { WINE, quote(interpreter), quote(M.path(folder .. "/script.lua")) }
  for _, word in ipairs(options.args or {}) do words[#words + 1] = quote(word) end
  write(folder .. "/run.sh", ("echo $$ >%s/pid\nexec env %s %s\n"):format(folder, environment(lua, options),
    table.concat(words, " "))) -- the shell's own process becomes that of wine
  local input = options.input == "pipe" and "" or "<" .. folder .. "/input"
  self._pipe = assert(io.popen(("timeout --foreground -s KILL %d sh %s/run.sh >%s 2>%s %s; echo $? >%s"):format(
    HUNG, folder, self.output, self.errors, input, self._code), "w"))
  self.pid = tonumber(capture(("until [ -s %s/pid ]; do sleep 0.02; done; cat %s/pid"):format(folder, folder)))
  return self
end

--- Sends a signal, such as INT, which wine turns into Ctrl-C, or KILL.
function Process:signal(name)
  os.execute(("kill -%s %d"):format(name, self.pid))
end

--- Waits until standard output has a line, or until a shell condition holds. Raises an error if the process ends before.
---@param condition string a shell command; $out: the path of the output
function Process:await(condition)
  local done = capture(("out=%s; until %s; do [ ! -e %s ] || { echo ended; exit; }; sleep 0.02; done; echo held")
    :format(self.output, condition, self._code))
  if done == "held\n" then return end
  error("the process ended before: " .. child.read(self.output) .. child.read(self.errors), 2)
end

--- Whether it has ended.
function Process:has_ended()
  local file = io.open(self._code, "rb")
  if file then file:close() end
  return file ~= nil
end

--- Waits until standard output has a text.
function Process:await_output(text)
  self:await(("grep -qF %s $out"):format(quote(text)))
end

--- Waits for the end.
---@return { code: integer, out: string, err: string } ended with line ends of Unix
function Process:finish()
  self._pipe:close()
  local function text(path) return (child.read(path):gsub("\r\n", "\n")) end
  return { code = tonumber(child.read(self._code)), out = text(self.output), err = text(self.errors) }
end

--- Runs a script to its end.
function M.run(lua, script, options)
  return M.start(lua, script, options):finish()
end

--- Runs a script, and raises an error if it failed.
---@return string out
function M.succeed(lua, script, options)
  local ended = M.run(lua, script, options)
  if ended.code ~= 0 then error(("code %s: %s%s"):format(ended.code, ended.out, ended.err), 2) end
  return ended.out
end

return M
