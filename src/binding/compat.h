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

/* The number on top becomes an integer, if it is whole and this Lua knows integers; true: it did. */
static inline int dk_make_integer (lua_State *L) {
#if LUA_VERSION_NUM >= 503
  lua_Integer whole;
  if (lua_isinteger(L, -1) || !lua_numbertointeger(lua_tonumber(L, -1), &whole) || (lua_Number)whole != lua_tonumber(L, -1)) return 0;
  lua_pop(L, 1);
  lua_pushinteger(L, whole);
  return 1;
#else
  (void)L;
  return 0;
#endif
}

#endif
