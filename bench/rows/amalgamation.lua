--- Row of the client in one C file (tools/amalgamation): how long it compiles, how large it is, how long it takes to open.
local M = {}

local function flags(lua)
  return "$(pkg-config --cflags " .. lua .. ")"
end

-- The CPU of a command line, in seconds.
local function cpu(line)
  return ([[bash -c 'TIMEFORMAT="%%U %%S"; { time %s; } 2>&1' | awk '{ print $1 + $2 }']]):format(line)
end

local function compile(harness, source, object)
  local cells = {}
  for _, compiler in ipairs { "gcc -O2 -x c", "clang -O2 -x c", "gcc -O2 -x c++ -std=c++17" } do
    if harness.works(("echo | %s -fsyntax-only -"):format(compiler)) then
      cells[#cells + 1] = { name = compiler,
        measure = harness.command(cpu(("%s %s -c -o %s %s"):format(compiler, flags "lua5.4", object, source))) }
    end
  end
  harness.show("amalgamation: compiled, CPU", "s each", cells)
end

local function size(harness, source, object)
  local cells = {}
  local function add(name, line, strip, goal)
    cells[#cells + 1] = { name = name, figure = goal,
      measure = harness.command(("%s %s -o %s %s && strip %s %s && stat -c %%s %s | awk '{ print $1 / 1024 }'"):format(
        line, flags "lua5.4", object, source, strip, object, object)) }
  end
  for _, level in ipairs { "-O2", "-Os" } do
    add("a shared library, gcc " .. level, "gcc -shared -fPIC " .. level, "", 250)
    add("an object, gcc " .. level .. ", with its relocations", "gcc -c " .. level, "--strip-unneeded")
  end
  harness.show("amalgamation: stripped, without libcurl", "KiB each", cells, 1)
end

local function open(harness, source, program)
  local cells = {}
  for _, lua in ipairs(harness.ALL_LUAS) do
    if harness.works("pkg-config --exists " .. lua) then
      local own = program .. "-" .. lua
      assert(harness.works(("gcc -O2 -I$(dirname %s) %s -o %s %s %s $(pkg-config --libs %s) -lcurl"):format(
        source, flags(lua), own, harness.script "rows/amalgamation.c", source, lua)), lua)
      cells[#cells + 1] = { name = lua, figure = 1,
        measure = harness.command(harness.pin, own, "| awk '{ print $1 * 1000, $2 }'") }
    end
  end
  harness.show("amalgamation: devkit4ai_open, CPU, and Lua's heap", "ms each", cells)
end

function M.amalgamation(harness, shared)
  local tree = harness.script "../"
  local source = tree .. "build/amalgamation/devkit4ai.c"
  assert(harness.works(tree .. "tools/amalgamation"), "tools/amalgamation")
  local place = shared.folder .. "/amalgamation"
  compile(harness, source, place)
  size(harness, source, place)
  open(harness, source, place)
end

return M
