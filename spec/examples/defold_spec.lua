-- The extension for Defold (examples/defold) has the layout of Defold's manual. Its sources compile with the build server's
-- compiler and flags, and run in a program that stands for the engine: spec/examples/defold, with LuaJIT as in Defold.
local child = require "spec.support.process.child"

local EXAMPLE, STAND_IN = "examples/defold", "spec/examples/defold"
local manifest, source = child.read(EXAMPLE .. "/ext.manifest"), child.read(EXAMPLE .. "/src/extension.cpp")

-- What the manual allows: https://defold.com/manuals/extensions and https://defold.com/manuals/extensions-ext-manifests
local FOLDERS = { include = true, lib = true, manifests = true, res = true, src = true }
local KEYS = {
  aaptExcludePackages = true, aaptExcludeResourceDirs = true, aaptExtraPackages = true, defines = true,
  excludeJars = true, excludeLibs = true, excludeSymbols = true, flags = true, frameworks = true, libs = true,
  linkFlags = true, weakFrameworks = true,
}

-- The build server's command for a source on Linux, in share/extender/build_input.yml of Defold; every source is C++ for it.
-- Without its -O2 and -g: they cost time here.
local COMPILE = "clang++ -DDM_PLATFORM_LINUX -D__STDC_LIMIT_MACROS -Wall -Werror=format -fno-exceptions -fPIC "
  .. "-fvisibility=hidden"

-- The script of the page, with Defold's functions that it calls. `devkit4ai` is there without require.
local GAME = [[
  image = { load = function(bytes) return bytes end }
  function show(bytes) print(#bytes > 100000, require("devkit4ai") == devkit4ai) ended = true end
]] .. child.read("docs/hosts/defold.md"):match("\n```lua\n(.-)```")

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read("*a")
  local ok = pipe:close()
  return ok and output or ("failed: " .. command .. "\n" .. output)
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("the extension for Defold", function()
  it("has the documented files and folders only", function()
    for _, name in ipairs(child.list(EXAMPLE)) do
      assert.is_true(name == "ext.manifest" or FOLDERS[name], name)
    end
    assert.same({ "lauxlib.h", "lua.hpp" }, child.list(EXAMPLE .. "/include"))
    assert.same({ "extension.cpp" }, child.list(EXAMPLE .. "/src"))
  end)

  it("has a manifest with its symbol and documented keys", function()
    assert.equal(source:match("DM_DECLARE_EXTENSION%((%w+),"), manifest:match('\nname: "(%w+)"\n'))
    local found = {}
    for indent, key, value in manifest:gmatch("\n( *)(%w[%w_-]*):([^\n]*)") do
      if #indent < 12 then
        assert.is_true(({ name = 0, platforms = 0, ["x86_64-linux"] = 4, context = 8 })[key] == #indent, key)
      else
        found[#found + 1] = key
        assert.is_true(KEYS[key], key)
        assert.matches('^ +%["[^"]+"%]$', value)
      end
    end
    assert.same({ "flags" }, found)
    assert.is_nil(manifest:find("\t", 1, true))
  end)

  it("compiles to nothing on other platforms", function()
    local object = os.tmpname()
    assert.equal("", run(("clang++ -DDM_PLATFORM_WINDOWS -Wall -Wextra -Werror -I%s %s/src/extension.cpp -c -o %s")
      :format(STAND_IN, EXAMPLE, object)))
    assert.is_nil(run("nm -u " .. object):find("lua_", 1, true))
    os.remove(object)
  end)

  it("runs a game that generates an image", function()
    local folder = child.folder()
    assert.equal("", run("tools/amalgamation"))
    local function run_here(command) -- in which F is the folder, and S the one of what stands for Defold
      return run((command:gsub("([FS])/", { F = folder .. "/", S = STAND_IN .. "/" })))
    end
    assert.equal("", run_here(("cp -r %s/. F/ && cp build/amalgamation/devkit4ai.* F/include/"):format(EXAMPLE)))
    assert.equal("", run_here "cp examples/images/neon.png F/a.png")
    local compile = ("%s %s -IF/include -IS/"):format(COMPILE, manifest:match('flags: %["([^"]+)"%]'))
    assert.equal("", run_here(compile .. " F/src/extension.cpp -c -o F/extension.o"))
    assert.equal("", run_here(("%s -DSYMBOL=%s S/engine.cpp F/extension.o -o F/engine"):format(
      compile, manifest:match('name: "(%w+)"')) .. " -l:liblua5.1-cjson.a -lluajit-5.1 -lcurl"))

    local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0.05 })
    finally(function() sandbox:stop() child.remove(folder) end)
    local variables = { access_token = "JWT_TOKEN" } -- the others have the option's name
    local list = { "LUA_PATH= LUA_CPATH=" }
    for name, value in pairs(assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })) do
      list[#list + 1] = ("DEVKIT4AI_%s='%s'"):format(variables[name] or name:upper(), value)
    end
    write(folder .. "/game.lua", GAME)
    local command = "cd " .. folder .. " && " .. table.concat(list, " ") .. " ./engine game.lua"
    assert.equal("true\ttrue\n", run(command))
  end)
end)
