-- Lua scripts in processes of their own, run by the same interpreter and with the same paths as the spec: for what ends
-- a process, forks it, counts its descriptors, or needs another environment.
local M = {}

-- A process that hangs is ended after this many seconds and has failed (exit code 124); nothing is judged by it.
local HUNG = 100 -- less than what tools/test gives to one test

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

--- All of a file.
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Starts a command; its result gives what the command writes, once it has ended.
local function start(command)
  local pipe = assert(io.popen(command, "r"))
  return function()
    local text = pipe:read("*a")
    pipe:close()
    return text
  end
end

local function capture(command)
  return start(command)()
end

--- A folder of the caller's own, which it removes with M.remove.
---@return string path
function M.folder()
  return assert(capture("mktemp -d"):match("^[^\n]+"), "mktemp failed")
end

--- Removes a folder with all that is in it.
function M.remove(path)
  os.execute("rm -rf " .. quote(path))
end

--- The names in a folder, in alphabetical order.
---@return string[]
function M.list(path)
  local names = {}
  for name in capture("LC_ALL=C ls -A " .. quote(path)):gmatch("[^\n]+") do names[#names + 1] = name end
  return names
end

--- Whether AddressSanitizer watches this process.
---@return boolean
function M.is_sanitized()
  return M.read("/proc/self/maps"):find("libasan", 1, true) ~= nil
end

--- The program that runs this spec: standard input of popen's shell is ours, its parent is us.
---@return string path
function M.interpreter()
  return (capture("readlink /proc/$PPID/exe"):gsub("\n$", ""))
end

--- A library for LD_PRELOAD, built beside the module under test; for options.preload.
---@param name string of spec/support/NAME_preload.c
---@return string path
local function preload(name)
  for built in package.cpath:gmatch("([^;]+)/lua5%.%d/%?%.so") do
    local path = ("%s/spec/%s_preload.so"):format(built, name)
    local file = io.open(path)
    if file then
      file:close()
      return path
    end
  end
  error("spec/support/" .. name .. "_preload.c is not built", 2)
end

-- What a developer's own environment may hold is not meant for the specs.
local unset = {}
for name in ("\0" .. M.read "/proc/self/environ"):gmatch("%z(DEVKIT4AI_[%w_]+)=") do
  unset[#unset + 1] = "-u " .. name
end
local UNSET = table.concat(unset, " ")

---@class spec.Ended
---@field code integer  the exit code; 128 and the number of the signal where one ended it; 124: it hung
---@field out string  what it wrote to standard output
---@field err string  and to standard error

--- Starts a script. Several of them run beside each other.
---@param script string Lua; its `...` are options.args
---@param options table? args: a list of texts; env: variables; before: shell text in front, as `ulimit -f 8`; wrap: a
---  command that runs another, as strace; signalled: it gets signals; preload: a library of spec/support, by its name
---@return fun(): spec.Ended finish waits for its end
function M.start(script, options)
  options = options or {}
  local folder = M.folder()
  local file = assert(io.open(folder .. "/script.lua", "wb"))
  file:write(script)
  file:close()
  os.execute("chmod -R a+rX " .. quote(folder))
  local words = { "exec", "timeout", "--kill-after=" .. HUNG, HUNG, options.wrap or "", "env", UNSET }
  for name, value in pairs(options.env or {}) do words[#words + 1] = quote(name .. "=" .. value) end
  -- the sanitizer wants to be the first library; it finds no leaks while somebody traces, and hangs where a signal comes
  -- while it looks for them
  words[#words + 1] = "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0"
    .. ((options.wrap or options.signalled) and ":detect_leaks=0" or "")
  if options.preload then words[#words + 1] = "LD_PRELOAD=" .. quote(preload(options.preload)) end
  words[#words + 1] = M.interpreter()
  words[#words + 1] = quote(folder .. "/script.lua")
  for _, word in ipairs(options.args or {}) do words[#words + 1] = quote(word) end
  local exit_code = start(("(%s\n%s) >%s/out 2>%s/err </dev/null; echo $?"):format(
    options.before or "", table.concat(words, " "), folder, folder))
  return function()
    local code = exit_code()
    local ended = { code = tonumber(code), out = M.read(folder .. "/out"), err = M.read(folder .. "/err") }
    M.remove(folder)
    return ended
  end
end

--- Runs a script to its end.
---@param script string as for M.start
---@param options table? as for M.start
---@return spec.Ended
function M.run(script, options)
  return M.start(script, options)()
end

return M
