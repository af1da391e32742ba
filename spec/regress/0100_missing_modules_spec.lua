-- A message about missing modules names them and what to install. A module that fails for another
-- reason (a syntax error, a library that can't be loaded, Ctrl-C, no memory) is reported with that reason. The command said
-- for each that a rock is not installed.
local child = require "spec.support.process.child"
local dependencies = require "devkit4ai.util.dependencies"
local LUA = rawget(_G, "jit") and "LuaJIT" or _VERSION

-- Runs the command with a line of Lua before it.
local function run(before, ...)
  return child.run(before .. '\nrequire("devkit4ai.cli").main(arg)', { args = { ... } })
end

local function hide(...)
  return ('require "spec.support.process.hide_modules" ("%s")'):format(table.concat({ ... }, '", "'))
end

-- What the command says, with one line on standard error.
local function says(message, ended)
  assert.same({ 1, ("devkit4ai: %s\n"):format(message) }, { ended.code, ended.err })
end

describe("a module that is not installed", function()
  for module, install in pairs {
    argparse = "; on Debian and Ubuntu: apt-get install lua-argparse; with LuaRocks: argparse",
    cjson = "; on Debian and Ubuntu: apt-get install lua-cjson; with LuaRocks: lua-cjson",
  } do
    it(("is named by the command: %s"):format(module), function()
      local message = ("the command needs %s, which %s does not find%s"):format(module, LUA, install)
      says(message, run(hide(module), "me"))
      local ended = run(hide(module), "sandbox", "--control")
      says(message, ended)
      assert.equal(('{"error":"%s"}\n'):format(message), ended.out)
      ended = run(hide(module), "me", "--json")
      assert.is_truthy(ended.out:find(('"message":"%s"'):format(message), 1, true), ended.out)
    end)
  end

  for module, install in pairs {
    cqueues = "cqueues, which % does not find; on Debian and Ubuntu: apt-get install lua-cqueues; "
      .. "with LuaRocks: cqueues",
    _cqueues = "cqueues, which % does not find; on Debian and Ubuntu: apt-get install lua-cqueues; "
      .. "with LuaRocks: cqueues",
    openssl = "openssl.rand, which % does not find; on Debian and Ubuntu: apt-get install lua-luaossl; "
      .. "with LuaRocks: luaossl",
    zlib = "zlib, which % does not find; on Debian and Ubuntu: apt-get install lua-zlib; with LuaRocks: lua-zlib",
    ["devkit4ai.sandbox"] = "devkit4ai.sandbox.main, which % does not find; with LuaRocks: devkit4ai-sandbox",
  } do
    it(("is named by the commands that run the sandbox: %s"):format(module), function()
      if not child.runs_sandbox then return end
      for _, name in ipairs { "sandbox", "quickstart" } do
        says("the sandbox needs " .. install:gsub("%%", LUA), run(hide(module), name))
      end
      assert.equal(0, run(hide(module), "--help").code) -- the other commands need none of it
    end)
  end

  it("may be the compiled one of this library", function()
    local ended = child.run(hide "devkit4ai.core" .. ' dofile "bin/devkit4ai"', { args = { "me" } })
    says(("the command can't start: the command needs devkit4ai.core, which %s does not find; with LuaRocks: devkit4ai")
      :format(LUA), ended)
  end)

  it("is named with the other missing modules", function()
    if not child.runs_sandbox then return end
    says(("the sandbox needs cqueues, openssl.rand, zlib, which %s does not find; on Debian and Ubuntu: "
      .. "apt-get install lua-cqueues lua-luaossl lua-zlib; with LuaRocks: cqueues, luaossl, lua-zlib"):format(LUA),
      run(hide("cqueues", "openssl", "zlib"), "sandbox"))
  end)

  it("is not suggested on plain Lua 5.1 and 5.5, where the sandbox can't run", function()
    if child.runs_sandbox then return end
    says(("the sandbox needs Lua 5.2 to 5.4 or LuaJIT, and this is %s; install one of them, and build devkit4ai "
      .. "again for it"):format(_VERSION), run(hide "cqueues", "sandbox"))
  end)

  it("may be unknown", function()
    assert.equal(("reset needs nonesuch, which %s does not find"):format(LUA),
      dependencies.missing_message("reset", { "string", "nonesuch" }))
    assert.is_nil(dependencies.missing_message("reset", { "string", "table" }))
    assert.same({ nil, "nonesuch" }, { dependencies.optional "nonesuch" })
    assert.equal(string, dependencies.optional "string")
  end)
end)

describe("a module that fails for another reason", function()
  -- How a module fails, and the command's exit code and words.
  local FAILURES = {
    ["a syntax error"] = { "x =", 1, "error loading module" },
    ["an error"] = { "error 'not at home'", 1, "not at home" },
    ["no memory"] = { "error('not enough memory', 0)", 1, "not enough memory" },
    ["a value"] = { "error(setmetatable({}, { __tostring = function() return 'a table' end }), 0)", 1, "a table" },
    ["Ctrl-C"] = { "io.popen('kill -INT $PPID'):read('*a') while true do end", 130, "interrupted" },
  }

  for name, row in pairs(FAILURES) do
    for module, command in pairs { argparse = "me", zlib = "sandbox", ["devkit4ai.sandbox.options"] = "sandbox" } do
      it(("is reported with its reason: %s in %s"):format(name, module), function()
        if not child.runs_sandbox and command == "sandbox" then return end
        local folder = child.folder()
        finally(function() child.remove(folder) end)
        local path = folder .. "/" .. module:gsub("%.", "/") .. ".lua"
        os.execute(("mkdir -p '%s'"):format(path:match("^.*/")))
        local file = assert(io.open(path, "wb"))
        file:write(row[1])
        file:close()
        local ended = run(("package.path = '%s/?.lua;' .. package.path"):format(folder), command)
        assert.equal(row[2], ended.code, ended.err)
        assert.is_truthy(ended.err:find(row[3], 1, true), ended.err)
        assert.is_nil(ended.err:find("apt-get", 1, true), ended.err)
        assert.is_nil(ended.err:find("LuaRocks", 1, true), ended.err)
      end)
    end
  end
end)
