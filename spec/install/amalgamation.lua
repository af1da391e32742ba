-- The client in one C file (tools/amalgamation), built by gcc and clang as C11 and as C++17, and used on each Lua.
local child = require "spec.support.process.child"
local sandbox = require "devkit4ai.sandbox"

local HERE = "spec/install/amalgamation/"
local CFLAGS = { ["C11"] = "-std=c11 -Wpedantic", ["C++17"] = "-x c++ -std=c++17" }
local WARNINGS = "-Wall -Wextra -Werror"

-- Each Lua once, and with them each compiler in each language.
local BUILDS = {
  { "lua5.1", "gcc", "C11" }, { "lua5.2", "clang", "C++17" }, { "lua5.3", "gcc", "C++17" }, { "lua5.4", "clang", "C11" },
  { "luajit", "gcc", "C11" },
}

local folder, box, arguments

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

-- Compiles devkit4ai.c with other sources, by any compiler.
local function compile(lua, compiler, language, options, sources)
  local paths = {}
  for source in sources:gmatch("%S+") do paths[#paths + 1] = HERE .. source end
  local libraries = sources ~= "" and ("-x none $(pkg-config --libs %s) -lcurl -lpthread"):format(lua) or ""
  return succeed(("%s %s %s -Ibuild/amalgamation $(pkg-config --cflags %s) %s %s build/amalgamation/devkit4ai.c %s"):format(
    compiler, CFLAGS[language], WARNINGS, lua, options, table.concat(paths, " "), libraries))
end

local function program(name, ...)
  local words = { folder .. "/" .. name, ... }
  return table.concat(words, " ")
end

-- The symbols that a file shows, but for weak ones: C++ makes these from the atomics of std.
local function exported(file)
  local names = {}
  for name in succeed("nm --extern-only --defined-only " .. file):gmatch("%x+ [ABCDGRST] ([%w_]+)") do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

describe("the amalgamation", function()
  setup(function()
    folder = child.folder()
    succeed("tools/amalgamation")
    box = assert(sandbox.start { step_time = 0.01 })
    local account = { email = "game@example.com", password = "SecurePass123" }
    local developer = assert(box:developer(account))
    arguments = table.concat({ HERE .. "game.lua", box.url, developer.developer_key, developer.project_id, account.email,
      account.password, "examples/images/neon.png", folder }, " ")
  end)
  teardown(function()
    box:stop()
    child.remove(folder)
  end)

  for _, build in ipairs(BUILDS) do
    local lua, compiler, language = table.unpack(build)
    it(("plays a game on %s, built by %s as %s, and leaves no memory"):format(lua, compiler, language), function()
      compile(lua, compiler, language, "-O2 -o " .. program("game-" .. lua), "run.c game.c")
      succeed(program("game-" .. lua, arguments))
    end)
  end

  -- The headers of 5.1 and of 5.4 differ most; only an optimizer sees some faults, and it has seen them above.
  it("compiles without a warning by each compiler in each language", function()
    for _, lua in ipairs { "lua5.1", "lua5.4" } do
      for _, compiler in ipairs { "gcc", "clang" } do
        for language in pairs(CFLAGS) do compile(lua, compiler, language, "-fsyntax-only", "") end
      end
    end
  end)

  it("needs only some of Lua's libraries, and names a missing one", function()
    for _, lua in ipairs { "lua5.1", "lua5.4" } do
      compile(lua, "gcc", "C11", "-o " .. program("libraries"), "libraries.c")
      succeed(program("libraries", (arguments:gsub(" ", " none ", 1))))
      for _, name in ipairs { "package", "math", "os", "string", "table", lua == "lua5.4" and "coroutine" or nil } do
        local code, output = run(program("libraries", "game.lua", name))
        assert.equal(1, code)
        assert.equal(("devkit4ai_open: Lua's library %s is missing: open it first (luaopen_%s)\n"):format(name, name), output)
      end
      local code, output = run(program("libraries", "game.lua", "base"))
      assert.equal(1, code)
      assert.equal("devkit4ai_open: Lua's basic functions are missing: open them first (luaopen_base)\n", output)
    end
  end)

  it("ends with an error of Lua when memory runs out, and leaves nothing", function()
    compile("lua5.4", "gcc", "C11", "-g -fsanitize=address,undefined -fno-sanitize-recover=all -o " .. program("memory"),
      "memory.c")
    succeed(program("memory", HERE .. "offline.lua"))
  end)

  it("runs in two states and two threads at once", function()
    compile("lua5.4", "clang", "C11", "-g -O1 -fsanitize=thread -o " .. program("two_threads"), "run.c two_threads.c")
    succeed(program("two_threads", arguments))
  end)

  it("runs in two libraries of one process at once", function()
    for _, name in ipairs { "a.so", "b.so" } do
      compile("lua5.4", "gcc", "C11", "-shared -fPIC -o " .. program(name), "run.c")
    end
    succeed(("gcc %s %s %stwo_copies.c -o %s -ldl -lpthread"):format(CFLAGS.C11:gsub(" .*", ""), WARNINGS, HERE,
      program("two_copies")))
    succeed(program("two_copies", program "a.so", program "b.so", arguments))
  end)

  it("shows two functions to the linker, and core.so shows one", function()
    for language, options in pairs(CFLAGS) do
      succeed(("gcc %s $(pkg-config --cflags lua5.4) -c -o %s build/amalgamation/devkit4ai.c"):format(options, program "object.o"))
      assert.equal("devkit4ai_open luaopen_devkit4ai_core", exported(program "object.o"), language)
    end
    for _, version in ipairs { "5.1", "5.2", "5.3", "5.4" } do
      assert.equal("luaopen_devkit4ai_core", exported(("--dynamic build/lua%s/devkit4ai/core.so"):format(version)))
    end
  end)
end)
