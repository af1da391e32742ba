/* compat.h - what Lua 5.1 (and LuaJIT, which takes its library) lacks, in 5.4's spelling; nothing else names LUA_VERSION_NUM. */
#ifndef DK_COMPAT_H
#define DK_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

/* LuaJIT's headers have some of these functions, 5.1's library has none: under names of their own they stand beside both. */
#if LUA_VERSION_NUM == 501
#define lua_rawlen lua_objlen
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv
#define luaL_setfuncs dk_setfuncs
#define luaL_setmetatable dk_setmetatable

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
