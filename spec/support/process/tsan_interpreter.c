/* lua.c - an interpreter: lua SCRIPT [ARGUMENT...]. Built with ThreadSanitizer, whose runtime must be in the program; the system's
 * interpreter can't load a module that was built with it. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

static int add_traceback (lua_State *L) {
  const char *text = luaL_tolstring(L, 1, NULL);
  luaL_traceback(L, L, text, 1);
  return 1;
}

/* The table `arg`, as lua(1) has it. */
static void set_arguments (lua_State *L, int count, char **words) {
  lua_createtable(L, count, 1);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, words[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
}

int main (int count, char **words) {
  lua_State *L = luaL_newstate();
  if (L == NULL || count < 2) {
    fprintf(stderr, "usage: lua SCRIPT [ARGUMENT...]\n");
    return 2;
  }
  luaL_openlibs(L);
  set_arguments(L, count, words);
  lua_pushcfunction(L, add_traceback);
  int status = luaL_loadfile(L, words[1]);
  for (int i = 2; status == LUA_OK && i < count; i++) lua_pushstring(L, words[i]);
  if (status == LUA_OK) status = lua_pcall(L, count - 2, 0, 1);
  if (status != LUA_OK) fprintf(stderr, "%s: %s\n", words[0], lua_tostring(L, -1));
  lua_close(L);
  return status == LUA_OK ? 0 : 1;
}
