-- The rockspecs list every file by name; here the lists are held against the tree, both ways.

local helper = require "spec.devkit4ai.sandbox.helper"

-- What a rockspec assigns, as a table.
local function load_rockspec(path)
  local values = {}
  local chunk
  if setfenv then
    chunk = setfenv(assert(loadfile(path)), values)
  else
    chunk = assert(loadfile(path, "t", values))
  end
  chunk()
  return values
end

-- The files that find(1) prints, as a set.
local function tree(arguments)
  local files = {}
  local pipe = assert(io.popen("find " .. arguments))
  for path in pipe:lines() do
    files[path] = true
  end
  pipe:close()
  return files
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local CLIENT = load_rockspec("rockspec/devkit4ai-scm-1.rockspec")
local SANDBOX = load_rockspec("rockspec/devkit4ai-sandbox-scm-1.rockspec")
local COMPILES = assert(io.open("rockspec/build-core")):read("*a"):match("\nexec (.*)") -- the line of the compiler

-- LuaRocks puts a file where its name says: lua/a/init.lua must stay a/init.lua, in the folder of the other modules.
local function name_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", "."))
end

-- Whether a file of lua/ goes with the sandbox's rock.
local function of_sandbox(path)
  return path:match("^lua/devkit4ai/sandbox/") or path == "lua/devkit4ai/sandbox.lua"
end

-- Lua files of a rockspec, as a set; each must stand under its own name.
local function lua_files(rockspec)
  local files = {}
  for name, source in pairs(rockspec.build.install.lua) do
    assert.equal(name_of(source), name)
    files[source] = true
  end
  return files
end

local function expected_lua_files(wanted)
  local files = tree("lua -name '*.lua'")
  for path in pairs(files) do
    if not wanted(path) then
      files[path] = nil
    end
  end
  return files
end

describe("the rockspecs", function()
  it("list every Lua module of the client, under its name", function()
    local expected = expected_lua_files(function(path) return not of_sandbox(path) end)
    assert.same(sorted(expected), sorted(lua_files(CLIENT)))
  end)

  it("list every Lua module of the sandbox, under its name", function()
    assert.same(sorted(expected_lua_files(of_sandbox)), sorted(lua_files(SANDBOX)))
  end)

  it("list each Lua file once", function()
    local sandbox = lua_files(SANDBOX)
    for path in pairs(lua_files(CLIENT)) do assert.is_nil(sandbox[path], path .. " is in both rocks") end
  end)

  it("leave lua/ to their lists", function() -- the build type builtin copies all of lua/ beside them
    assert.equal("command", CLIENT.build.type)
    assert.equal("none", SANDBOX.build.type)
    assert.same({}, { CLIENT.build.modules, SANDBOX.build.modules })
  end)

  it("compile every C source", function()
    local patterns = {}
    for word in COMPILES:gmatch("%S+%.c%f[%s]") do patterns[#patterns + 1] = word end
    assert.same(sorted(tree("src/binding src/core -name '*.c'")), sorted(tree(table.concat(patterns, " "))))
  end)

  it("compile with the flags of cmake", function()
    local cmake = assert(io.open("cmake/flags.cmake")):read("*a")
    local script, count = assert(io.open("rockspec/build-core")):read("*a"), 0
    local lists = { cmake:match("PRIVATE (%-U_FORTIFY_SOURCE [^)]*)%)") }
    for list in cmake:gmatch("devkit4ai_hardened[_link]* (%-[^)]*)%)") do lists[#lists + 1] = list end
    for flag in table.concat(lists, " "):gmatch("%S+") do
      assert.is_truthy(script:find(flag, 1, true), flag)
      count = count + 1
    end
    for definition in cmake:gmatch("_[%u_]+_BITS=64") do
      assert.is_truthy(script:find("-D" .. definition .. " ", 1, true), definition)
      count = count + 1
    end
    assert.equal(7, count)
  end)

  it("run the program that compiles them", function()
    assert.matches("sh rockspec/build%-core$", CLIENT.build.build_command)
  end)

  if _VERSION == "Lua 5.4" then -- a shell script
    -- A compiler that finds every header but one.
    local function build_without(header)
      return helper.shell(([[
        folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
        printf '#!/bin/sh\n! grep -q "<%s>"\n' >"$folder/cc"; chmod +x "$folder/cc"
        export CC=$folder/cc CFLAGS= LIBFLAG= LUA=lua5.4 LUA_INCDIR=/lua CURL_INCDIR=/curl CURL_LIBDIR=/lib
        sh rockspec/build-core 2>&1
        echo "ended with $?"]]):format(header))
    end

    for header, package in pairs {
      ["curl/curl.h"] = "libcurl4-openssl-dev", ["lua.h"] = "liblua5.4-dev", ["stdio.h"] = "libc6-dev",
    } do
      it("name the packages if a header is missing: " .. header, function()
        local said = build_without(header)
        local missing = ("the compiler does not find <%s>. Install the headers:"):format(header)
        assert.is_truthy(said:find(missing, 1, true), said)
        assert.is_truthy(said:find("Debian, Ubuntu: apt-get install " .. package, 1, true), said)
        assert.matches("Fedora: dnf install %S+\n  Alpine: apk add %S+\n", said)
        assert.matches("ended with 1\n$", said)
      end)
    end
  end

  it("find every header that a C source includes by its name in quotes", function()
    local headers, folders, count = tree("src include -name '*.h'"), {}, 0
    for folder in COMPILES:gmatch(" %-I([%w/]+)%f[%s]") do folders[#folders + 1] = folder end
    for path in pairs(tree("src/binding src/core -name '*.[ch]'")) do
      for name in assert(io.open(path)):read("*a"):gmatch('#include "([^"]+)"') do
        local found = headers[path:match("^(.*)/") .. "/" .. name]
        for _, folder in ipairs(folders) do found = found or headers[folder .. "/" .. name] end
        assert.is_truthy(found, ("%s includes %s"):format(path, name))
        count = count + 1
      end
    end
    assert.is_true(count > 50)
  end)

  it("list every command", function()
    local commands = {}
    for name, path in pairs(CLIENT.build.install.bin) do
      assert.equal("bin/" .. name, path)
      commands[path] = true
    end
    assert.same(sorted(tree("bin -type f")), sorted(commands))
  end)

  it("ask for libcurl by its library alone", function() -- a header is not found on multiarch systems
    assert.same({ CURL = { library = "curl" } }, CLIENT.external_dependencies)
  end)

  it("need no Lua that is left out, and bound it from above", function()
    for _, rockspec in ipairs { CLIENT, SANDBOX } do
      assert.equal("lua >= 5.1, < 5.6", rockspec.dependencies[1])
    end
  end)
end)
