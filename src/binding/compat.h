/* compat.h - differences between Lua's versions: functions of 5.4 that 5.1 and LuaJIT lack. Only this file names LUA_VERSION_NUM. And
 * how a system spells a visible function. */
#ifndef DK_COMPAT_H
#define DK_COMPAT_H

#include "devkit4ai.h"           /* first: in C++ it includes Lua's headers as headers of C */
#include <lauxlib.h>

#include "base/language.h"

/* in front of the function that require calls, the only visible symbol */
#ifdef _WIN32
#define DK_VISIBLE __declspec(dllexport)
#else
#define DK_VISIBLE __attribute__((visibility("default")))
#endif

/* LuaJIT's headers have some of these functions, and 5.1's library has none. Other names avoid a conflict with both. */
#if LUA_VERSION_NUM == 501
#define lua_rawlen lua_objlen
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv
#define luaL_setfuncs dk_setfuncs

static inline void luaL_setfuncs (lua_State *L, const luaL_Reg *functions, int upvalues) {
  (void)upvalues;
  luaL_register(L, NULL, functions);
}
#endif

/* LuaJIT has it as well, and 5.1's module runs there; NULL in Lua 5.1 and 5.2. A DLL can't leave a function open. */
#if LUA_VERSION_NUM < 503 && defined(_WIN32)
#define DK_HAS_ISYIELDABLE false
#define lua_isyieldable(L) 0
#elif LUA_VERSION_NUM < 503
#ifdef __APPLE__
DK_C_LINKAGE int lua_isyieldable (lua_State *L) __attribute__((weak_import));
#else
DK_C_LINKAGE int lua_isyieldable (lua_State *L) __attribute__((weak));
#endif
#define DK_HAS_ISYIELDABLE (lua_isyieldable != NULL)
#else
#define DK_HAS_ISYIELDABLE true
#endif

/* A module of 5.4 also loads in 5.5, and the other way round, and would crash there: the functions have the same names, and other
 * constants. The older ones lack functions of each other, so the loader refuses them. */
#if LUA_VERSION_NUM >= 504
#define DK_RIGHT_LUA(L) (lua_version(L) == LUA_VERSION_NUM)
#else
#define DK_RIGHT_LUA(L) true
#endif

#endif
