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
  return succeed(("%s %s %s -Ibuild/amalgamation $(pkg-config --cflags %s) %s %s build/amalgamation/devkit4ai.c -x none "
    .. "$(pkg-config --libs %s) -lcurl -lpthread"):format(compiler, CFLAGS[language], WARNINGS, lua, options,
    table.concat(paths, " "), lua))
end

local function program(name, ...)
  local words = { folder .. "/" .. name, ... }
  return table.concat(words, " ")
end

local function exported(file)
  local names = {}
  for name in succeed("nm --extern-only --defined-only " .. file):gmatch("%x+ %u ([%w_]+)") do names[#names + 1] = name end
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
end)
