/* open.c - devkit4ai_open, for programs that link the C code. */
#include "binding.h"
#include "devkit4ai.h"
#include "lua_files.h"

/* raises if a library is missing that the client needs */
static void check_libraries (lua_State *L) {
  static const char *const names[] = {"package", "coroutine", "math", "os", "string", "table"};
  lua_getglobal(L, "pcall");
  if (!lua_isfunction(L, -1)) luaL_error(L, "devkit4ai_open: Lua's basic functions are missing: open them first (luaopen_base)");
  lua_pop(L, 1);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    lua_getglobal(L, names[i]);
    if (!lua_istable(L, -1)) luaL_error(L, "devkit4ai_open: Lua's library %s is missing: open it first (luaopen_%s)", names[i], names[i]);
    lua_pop(L, 1);
  }
}

void dk_unmark_module (lua_State *L) {
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  if (!lua_isnil(L, -1)) {
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_rawset(L, -4);
  }
  lua_settop(L, top);
}

static int open_core (lua_State *L) {
  dk_unmark_module(L);
  return luaopen_devkit4ai_core(L);
}

void devkit4ai_open (lua_State *L) {
  check_libraries(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, open_core);
  lua_setfield(L, -2, "devkit4ai.core");
  dk_preload_lua_files(L);
  lua_pop(L, 2);
}
