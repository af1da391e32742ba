-- The client in one C file (tools/amalgamation), built by gcc and clang as C11 and as C++17, and used on each Lua.
local child = require "spec.support.process.child"
local sandbox = require "devkit4ai.sandbox"

local HERE, FILE = "spec/install/amalgamation/", "build/amalgamation/devkit4ai.c"
local LANGUAGES = { C11 = "-x c -std=c11", ["C++17"] = "-x c++ -std=c++17" }
local CFLAGS = "-Wall -Wextra -Werror -Ibuild/amalgamation"
local MORE_WARNINGS = "-Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef -Wdouble-promotion -Wformat=2 "

local PKG_CONFIG = "PKG_CONFIG_PATH=build/lua55/lib/pkgconfig:$PKG_CONFIG_PATH pkg-config" -- Lua 5.5's is that of tools/lua55

-- The compiler and the language for each Lua.
local LUAS, HAS = {}, {}
for _, lua in ipairs { "lua5.1", "lua5.2", "lua5.3", "lua5.4", "lua5.5", "luajit" } do
  if os.execute(("%s --exists %s"):format(PKG_CONFIG, lua)) then
    LUAS[#LUAS + 1] = lua
    HAS[lua] = true
  end
end
local BUILDS = {
  ["lua5.1"] = { "gcc", "C11" }, ["lua5.2"] = { "clang", "C++17" }, ["lua5.3"] = { "gcc", "C++17" },
  ["lua5.4"] = { "clang", "C11" }, ["lua5.5"] = { "gcc", "C11" }, luajit = { "gcc", "C11" },
}

local folder, box, developer, arguments

local function run(command)
  local pipe = assert(io.popen(("(%s) 2>&1; echo $?"):format(command)))
  local output, code = pipe:read("a"):match("^(.-)(%d+)\n$")
  pipe:close()
  return tonumber(code), output
end

local function succeed(command)
  local code, output = run(command)
  assert(code == 0, ("%s\nended with %d:\n%s"):format(command, code, output))
  return output
end

-- Compiles files; `options` have the rest of the command line.
local function compile(lua, compiler, language, options, files)
  succeed(("%s %s %s $(%s --cflags %s) %s %s"):format(
    compiler, LANGUAGES[language], CFLAGS, PKG_CONFIG, lua, options, files))
end

local objects = {} -- by Lua

-- devkit4ai.c as an object for a Lua.
local function object(lua)
  if not objects[lua] then
    local path = ("%s/%s.o"):format(folder, lua)
    compile(lua, BUILDS[lua][1], BUILDS[lua][2], "-O2 -fPIC -c -o " .. path, FILE)
    objects[lua] = path
  end
  return objects[lua]
end

-- Links an object with sources of this test; returns the path of the program.
local function link(lua, name, sources, options)
  local path = folder .. "/" .. name
  sources = sources:gsub("%S+", HERE .. "%0")
  succeed(("gcc %s $(%s --cflags %s) %s -o %s %s %s $(%s --libs %s) -lcurl -lpthread"):format(
    CFLAGS, PKG_CONFIG, lua, options or "", path, sources, object(lua), PKG_CONFIG, lua))
  return path
end

-- Compiles everything at once under a sanitizer; returns the path of the program.
local function sanitized(compiler, sanitizer, name, sources)
  local path = folder .. "/" .. name
  compile("lua5.4", compiler, "C11", ("-g -O1 -fsanitize=%s -fno-sanitize-recover=all -o %s"):format(sanitizer, path),
    sources:gsub("%S+", HERE .. "%0") .. " " .. FILE .. " -llua5.4 -lcurl -lpthread")
  return path
end

-- The symbols that a file shows, but for weak ones: C++ makes these from the atomics of std.
local function exported(file)
  local names = {}
  local symbols = succeed("nm --extern-only --defined-only " .. file)
  for name in symbols:gmatch("%x+ [ABCDGRST] ([%w_]+)") do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

describe("the amalgamation", function()
  setup(function()
    folder = child.folder()
    succeed("make amalgamation")
    box = assert(sandbox.start { step_time = 0.01 })
    local account = { email = "dev@example.com", password = "SecurePass123" }
    developer = assert(box:developer(account))
    arguments = table.concat({ "", HERE .. "game.lua", box.url, developer.developer_key, developer.project_id,
      account.email, account.password, "examples/images/neon.png", folder }, " ")
  end)
  teardown(function()
    box:stop()
    child.remove(folder)
  end)

  for _, lua in ipairs(LUAS) do
    local build = BUILDS[lua]
    it(("plays a game on %s, compiled by %s as %s"):format(lua, build[1], build[2]), function()
      succeed(link(lua, "game-" .. lua, "run.c game.c") .. arguments)
    end)

    it(("shows two functions to the linker, compiled by %s as %s for %s"):format(build[1], build[2], lua), function()
      assert.equal("devkit4ai_open luaopen_devkit4ai_core", exported(object(lua)))
    end)
  end

  -- The headers of 5.1 and of the newest differ most.
  it("compiles without a warning by each compiler in each language", function()
    for _, lua in ipairs { "lua5.1", HAS["lua5.5"] and "lua5.5" or "lua5.4" } do
      for _, compiler in ipairs { "gcc", "clang" } do
        for language in pairs(LANGUAGES) do
          -- by clang, Lua's own header has such a cast
          local more = language == "C++17" and compiler == "gcc" and "-Wold-style-cast " or ""
          compile(lua, compiler, language, MORE_WARNINGS .. more .. "-fsyntax-only", FILE)
        end
      end
    end
  end)

  it("needs only some of Lua's libraries, and names a missing one", function()
    for _, lua in ipairs { "lua5.1", "lua5.4" } do
      local program = link(lua, "libraries-" .. lua, "libraries.c")
      succeed(program .. " none" .. arguments)
      for _, name in ipairs { "package", "math", "os", "string", "table", lua == "lua5.4" and "coroutine" or nil } do
        local code, output = run(program .. " " .. name .. arguments)
        assert.equal(1, code)
        local message = "devkit4ai_open: Lua's library %s is missing: open it first (luaopen_%s)\n"
        assert.equal(message:format(name, name), output)
      end
      local code, output = run(program .. " base" .. arguments)
      assert.equal(1, code)
      assert.equal("devkit4ai_open: Lua's basic functions are missing: open them first (luaopen_base)\n", output)
    end
  end)

  it("ends with an error of Lua when memory runs out, leaves nothing, and then goes on", function()
    succeed(sanitized("gcc", "address,undefined", "memory", "memory.c") .. " " .. HERE .. "offline.lua")
  end)

  it("does so on LuaJIT, where require never loads a module again that it found no memory for", function()
    succeed(link("luajit", "memory-luajit", "memory.c") .. " " .. HERE .. "offline.lua")
  end)

  it("runs in two states and two threads at once", function()
    succeed(sanitized("clang", "thread", "two_threads", "run.c two_threads.c") .. arguments)
  end)

  it("runs in two libraries of one process at once", function()
    local a, b = link("lua5.4", "a.so", "run.c", "-shared -fPIC"), link("lua5.4", "b.so", "run.c", "-shared -fPIC")
    local program = folder .. "/two_copies"
    -- one Lua for both, which also lua-cjson finds
    succeed(("gcc %s -o %s %stwo_copies.c -Wl,--no-as-needed -llua5.4 -ldl -lpthread"):format(CFLAGS, program, HERE))
    succeed(("%s %s %s%s"):format(program, a, b, arguments))
  end)

  it("has the loops of other hosts if it is made so, and says which one is missing otherwise", function()
    succeed(("%s %sloops.lua without"):format(link("lua5.4", "game", "run.c game.c"), HERE))
    succeed("tools/amalgamation --loops " .. folder)
    compile("lua5.4", "gcc", "C11", "-o " .. folder .. "/looped",
      ("%srun.c %sgame.c %s/devkit4ai.c -llua5.4 -lcurl -lpthread"):format(HERE, HERE, folder))
    succeed(("%s/looped %sloops.lua with"):format(folder, HERE))
  end)

  it("is used as docs/embedding.md shows, whose lines run as they are", function()
    local lines, printed = {}, {}
    succeed(("mkdir %s/page && cp build/amalgamation/devkit4ai.[ch] %s/page"):format(folder, folder))
    for language, info, text in child.read("docs/embedding.md"):gmatch("\n```(%l+) ?([^\n]*)\n(.-\n)```") do
      local name = text:match("^%p+ (game%.%l+)")
      if name then
        local file = assert(io.open(folder .. "/page/" .. name, "wb"))
        file:write(text)
        file:close()
      elseif language == "sh" and info == "" then
        lines[#lines + 1] = text
        for line in text:gmatch("# %-> ([^\n]+)") do printed[#printed + 1] = line end
      end
    end
    local output = succeed(("cd %s/page; set -e; export DEVKIT4AI_BASE_URL=%s DEVKIT4AI_JWT_TOKEN=%s\n%s"):format(
      folder, box.url, developer.access_token, table.concat(lines)))
    assert.equal(3, #printed)
    assert.equal(table.concat(printed, "\n") .. "\n", output)
  end)

  it("is not core.so, which shows one function to the linker", function()
    for _, version in ipairs { "5.1", "5.2", "5.3", "5.4" } do
      assert.equal("luaopen_devkit4ai_core", exported(("--dynamic build/lua%s/devkit4ai/core.so"):format(version)))
    end
  end)
end)
