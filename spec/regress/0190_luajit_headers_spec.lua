-- LuaJIT's headers declare functions that the binding defines for Lua 5.1. Where they are the only headers of 5.1, the build
-- stopped at "static declaration of 'luaL_setfuncs' follows non-static declaration".
if _VERSION ~= "Lua 5.4" then return end -- the subject is C

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

-- The 5.1 headers with the functions that LuaJIT 2.1 adds.
local LAUXLIB = [[
#include_next <lauxlib.h>
LUALIB_API void (luaL_setfuncs) (lua_State *L, const luaL_Reg *l, int nup);
LUALIB_API void (luaL_pushmodule) (lua_State *L, const char *modname, int sizehint);
LUALIB_API void *(luaL_testudata) (lua_State *L, int ud, const char *tname);
LUALIB_API void (luaL_setmetatable) (lua_State *L, const char *tname);
LUALIB_API int (luaL_fileresult) (lua_State *L, int stat, const char *fname);
LUALIB_API int (luaL_execresult) (lua_State *L, int stat);
LUALIB_API int (luaL_loadfilex) (lua_State *L, const char *filename, const char *mode);
LUALIB_API int (luaL_loadbufferx) (lua_State *L, const char *buff, size_t sz, const char *name, const char *mode);
LUALIB_API void luaL_traceback (lua_State *L, lua_State *L1, const char *msg, int level);
LUA_API const lua_Number *(lua_version) (lua_State *L);
LUA_API void (lua_copy) (lua_State *L, int fromidx, int toidx);
LUA_API lua_Number (lua_tonumberx) (lua_State *L, int idx, int *isnum);
LUA_API lua_Integer (lua_tointegerx) (lua_State *L, int idx, int *isnum);
LUA_API int (lua_isyieldable) (lua_State *L);
]]

describe("the binding", function()
  it("compiles with LuaJIT's headers", function()
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local file = assert(io.open(folder .. "/lauxlib.h", "wb"))
    file:write(LAUXLIB)
    file:close()
    local said = helper.shell(([[for file in src/binding/*.c; do
      gcc -std=c11 -Wall -Wextra -Werror -fsyntax-only -I%s $(pkg-config --cflags lua5.1) -Iinclude -Isrc/core \
        "$file" 2>&1
    done]]):format(helper.quote(folder)))
    assert.equal("", said)
  end)
end)
