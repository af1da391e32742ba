/* compat.h - what Lua 5.1 (and LuaJIT, which takes its library) lacks, in 5.4's spelling; nothing else names LUA_VERSION_NUM. */
#ifndef DK_COMPAT_H
#define DK_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM == 501
#define lua_rawlen lua_objlen
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv

static inline void luaL_setfuncs (lua_State *L, const luaL_Reg *functions, int upvalues) {
  (void)upvalues;
  luaL_register(L, NULL, functions);
}

static inline void luaL_setmetatable (lua_State *L, const char *name) {
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
}
#endif

#endif
