-- A module that was built for another Lua is refused when it is loaded. Lua 5.5 crashed with the one of 5.4, and 5.4 with that
-- of 5.5.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local VERSION = _VERSION:match "%d.%d"
local BUILT = package.cpath:match "([^;]+)/lua5%.%d/%?%.so"

local function is_there(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

describe("a module for another Lua", function()
  for _, other in ipairs { "5.1", "5.2", "5.3", "5.4", "5.5" } do
    local path = ("%s/lua%s/devkit4ai/core.so"):format(BUILT, other)
    if other ~= VERSION and is_there(path) then
      it(("is refused, with a message: that for %s"):format(other), function()
        local ended = child.run([[
          package.cpath = ...
          print(pcall(require, "devkit4ai.core"))
        ]], { args = { ("%s/lua%s/?.so"):format(BUILT, other) } })
        assert.equal(0, ended.code, ended.err)
        assert.matches("^false\t", ended.out)
        local built_for = ended.out:match "devkit4ai.core was built for Lua (5%.%d)"
        assert.is_true(built_for == other or ended.out:find("undefined symbol: lua", 1, true) ~= nil, ended.out)
      end)
    end
  end
end)

-- Every Lua file of the tree compiles there: 5.5 refuses, for example, an assignment to the variable of a loop.
if VERSION == "5.5" then
  describe("Lua 5.5", function()
    it("compiles every Lua file of the tree", function()
      local count = 0
      local files = helper.shell "find bench bin examples lua rockspec spec tools -type f"
      for path in files:gmatch "[^\n]+" do
        local file = assert(io.open(path, "rb"))
        local first = file:read "*l" or ""
        file:close()
        if path:find "%.lua$" or path:find "%.rockspec$" or first:find "^#!.*lua" or path:find "^bin/" then
          assert(loadfile(path))
          count = count + 1
        end
      end
      assert.is_true(count > 300)
    end)
  end)
end
