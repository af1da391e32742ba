-- The installed command took Lua 5.1 where LuaJIT is there too, and its quickstart then said that the sandbox does not run on 5.1.
if _VERSION ~= "Lua 5.4" then return end -- the subject is a shell script

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

-- The program that the command starts, where these are on the PATH.
local function started(programs, version)
  local folder = child.folder()
  finally(function() child.remove(folder) end)
  return helper.shell(([[
    cd %s && mkdir -p bin lib/lua/%s/devkit4ai && cp "$OLDPWD/bin/devkit4ai" bin && : >lib/lua/%s/devkit4ai/core.so
    for name in %s; do printf '#!/bin/sh\nprintf %%%%s "${0##*/}"\n' >bin/$name; done
    chmod +x bin/*
    for name in sh dirname; do ln -s "$(command -v $name)" bin; done
    PATH=$PWD/bin devkit4ai me 2>&1]]):format(helper.quote(folder), version, version, programs))
end

describe("the installed command", function()
  it("takes LuaJIT before Lua 5.1", function() assert.equal("luajit", started("lua5.1 luajit", "5.1")) end)
  it("takes Lua 5.1 where there is no LuaJIT", function() assert.equal("lua5.1", started("lua5.1", "5.1")) end)
  it("takes no LuaJIT for another version", function() assert.equal("lua5.4", started("lua5.4 luajit", "5.4")) end)
end)
