-- The rockspecs list every file by name; here the lists are held against the tree, both ways.

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

  it("run the program that compiles them", function()
    assert.matches("sh rockspec/build%-core$", CLIENT.build.build_command)
  end)

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
