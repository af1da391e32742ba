/* libraries.c - libraries LEFT_OUT SCRIPT [ARGUMENT...]: runs a script in a state with the libraries alone that the client needs,
 * but for one of them. LEFT_OUT: its name, or none. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "devkit4ai.h"

static const luaL_Reg libraries[] = {
  {"", luaopen_base}, {LUA_LOADLIBNAME, luaopen_package}, {LUA_MATHLIBNAME, luaopen_math}, {LUA_OSLIBNAME, luaopen_os},
  {LUA_STRLIBNAME, luaopen_string}, {LUA_TABLIBNAME, luaopen_table},
#if LUA_VERSION_NUM > 501
  {LUA_COLIBNAME, luaopen_coroutine},                 /* 5.1 has it among the basic functions */
#endif
  {NULL, NULL}};

static void open_libraries (lua_State *L, const char *left_out) {
  for (const luaL_Reg *library = libraries; library->name != NULL; library++) {
    if (strcmp(*library->name ? library->name : "base", left_out) == 0) continue;
    lua_pushcfunction(L, library->func);
    lua_pushstring(L, library->name);
    lua_call(L, 1, 1);
    if (*library->name) lua_setglobal(L, library->name);
    else lua_pop(L, 1);
  }
}

static int open_and_run (lua_State *L) {
  char **arguments = (char **)lua_touserdata(L, 1);
  int count = 0;
  open_libraries(L, arguments[1]);
  devkit4ai_open(L);
  if (luaL_loadfile(L, arguments[2]) != 0) return lua_error(L);
  for (; arguments[3 + count] != NULL; count++) lua_pushstring(L, arguments[3 + count]);
  lua_call(L, count, 0);
  return 0;
}

int main (int count, char **arguments) {
  (void)count;
  lua_State *L = luaL_newstate();
  lua_pushcfunction(L, open_and_run);
  lua_pushlightuserdata(L, arguments);
  int failed = lua_pcall(L, 1, 0, 0);
  if (failed) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed != 0;
}
