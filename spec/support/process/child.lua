-- Child processes: run Lua scripts with the interpreter and paths of the spec. For tests that end or fork a process,
-- count its descriptors, or need another environment.
local M = {}

-- Seconds after which a hanging process is killed (exit code 124). No test depends on this time.
local HUNG = 280 -- less than the limit of tools/test for one test

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

--- Whether the sandbox runs on this Lua: not on plain 5.1, and not on 5.5, which cqueues has no release for.
M.runs_sandbox = rawget(_G, "jit") ~= nil or _VERSION ~= "Lua 5.1" and _VERSION ~= "Lua 5.5"

--- Reads a whole file.
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Starts a command; returns a function that waits for its output.
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

--- Creates a temporary folder; the caller removes it with M.remove.
---@return string path
function M.folder()
  return assert(capture("mktemp -d"):match("^[^\n]+"), "mktemp failed")
end

--- Removes a folder and its content.
function M.remove(path)
  os.execute("rm -rf " .. quote(path))
end

--- The names in a folder, sorted.
---@return string[]
function M.list(path)
  local names = {}
  for name in capture("LC_ALL=C ls -A " .. quote(path)):gmatch("[^\n]+") do names[#names + 1] = name end
  return names
end

--- Whether this process runs the build of AddressSanitizer or of ThreadSanitizer.
---@return boolean
function M.is_sanitized()
  return package.cpath:find("/build/[at]san/") ~= nil
end

local interpreter

--- The path of the interpreter that runs this spec: that of the parent of popen's shell. Of a program that qemu runs
--- (tools/processor), the system says qemu's path, and its own as qemu's first argument.
---@return string path
function M.interpreter()
  interpreter = interpreter or capture([[
    path=$(readlink /proc/$PPID/exe)
    case $path in */qemu-*) tr '\0' '\n' < /proc/$PPID/cmdline | sed -n 2p ;; *) echo "$path" ;; esac]]):gsub("\n$", "")
  return interpreter
end

--- The path of a library for LD_PRELOAD, built beside the module under test; for options.preload.
---@param name string of spec/support/process/NAME_preload.c
---@return string path
function M.preload(name)
  for built in package.cpath:gmatch("([^;]+)/lua5%.%d/%?%.so") do
    local path = ("%s/spec/%s_preload.so"):format(built, name)
    local file = io.open(path)
    if file then
      file:close()
      return path
    end
  end
  error("spec/support/process/" .. name .. "_preload.c is not built", 2)
end

-- Variables of a developer's environment that must not reach the specs.
local unset = {}
for name in ("\0" .. M.read "/proc/self/environ"):gmatch("%z(DEVKIT4AI_[%w_]+)=") do
  unset[#unset + 1] = "-u " .. name
end
local UNSET = table.concat(unset, " ")

---@class spec.Ended
---@field code integer  the exit code; 128 plus the signal number after a signal; 124: it hung
---@field out string  standard output
---@field err string  standard error

--- Starts a script. Several scripts run concurrently.
---@param script string Lua; its `...` are options.args
---@param options table? args: a list of texts; env: variables; before: shell text in front, as `ulimit -f 8`; wrap: a
---  command that runs another, as strace; signalled: it gets signals; preload: the name of a library, as for `preload`
---@return fun(): spec.Ended finish waits for the end of the script
function M.start(script, options)
  options = options or {}
  local base = os.tmpname()
  local path, out, err = base .. "-script.lua", base .. ".out", base .. ".err"
  local file = assert(io.open(path, "wb"))
  file:write(script)
  file:close()
  local parts = { "exec", "timeout", "--kill-after=" .. HUNG, HUNG, options.wrap or "", "env", UNSET }
  for name, value in pairs(options.env or {}) do parts[#parts + 1] = quote(name .. "=" .. value) end
  -- the sanitizer wants to be the first library; it finds no leaks while somebody traces, and hangs where a signal comes
  -- while it looks for them
  parts[#parts + 1] = "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0"
    .. ((options.wrap or options.signalled) and ":detect_leaks=0" or "")
  if options.preload then parts[#parts + 1] = "LD_PRELOAD=" .. quote(M.preload(options.preload)) end
  parts[#parts + 1] = M.interpreter()
  parts[#parts + 1] = quote(path)
  for _, word in ipairs(options.args or {}) do parts[#parts + 1] = quote(word) end
  local exit_code = start(("(%s\n%s) >%s 2>%s </dev/null; echo $?"):format(
    options.before or "", table.concat(parts, " "), out, err))
  return function()
    local code = exit_code()
    local ended = { code = tonumber(code), out = M.read(out), err = M.read(err) }
    for _, made in ipairs { base, path, out, err } do os.remove(made) end
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
