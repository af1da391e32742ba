#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "devkit4ai.h"
#ifndef __cplusplus
#include <lauxlib.h>
#include <lualib.h>
#endif

/* of a state: *state is its number of bytes */
static void *allocate (void *state, void *block, size_t old_size, size_t size) {
  size_t *live = (size_t *)state;
  *live += size - (block != NULL ? old_size : 0);
  if (size > 0) return realloc(block, size);
  free(block);
  return NULL;
}

static int open_and_run (lua_State *L) {
  char **script = (char **)lua_touserdata(L, 2);
  int count = (int)lua_tointeger(L, 1);
  luaL_openlibs(L);
  devkit4ai_open(L);
  if (luaL_loadfile(L, script[0]) != 0) return lua_error(L);
  for (int i = 1; i < count; i++) lua_pushstring(L, script[i]);
  lua_call(L, count - 1, 0);
  return 0;
}

int run_script (int count, char **script) {
  size_t live = 0;
#if LUA_VERSION_NUM >= 505
  lua_State *L = lua_newstate(allocate, &live, 0);
#else
  lua_State *L = lua_newstate(allocate, &live);
#endif
  if (L == NULL) return 1;
  lua_pushcfunction(L, open_and_run);
  lua_pushinteger(L, count);
  lua_pushlightuserdata(L, script);
  int failed = lua_pcall(L, 2, 0, 0);
  if (failed) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  if (live != 0) fprintf(stderr, "the state left %zu bytes\n", live);
  return failed != 0 || live != 0;
}
