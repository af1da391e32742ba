/* A program with Lua and devkit4ai's C code linked in. It loads the Lua files and lua-cjson from disk. In the tree's folder:
 *
 *   cc -o embed -Iinclude -Isrc/core $(pkg-config --cflags lua5.4) examples/embed.c $(find src/core src/binding -name '*.c') \
 *     $(pkg-config --libs lua5.4) -lcurl -lpthread
 *   LUA_PATH="lua/?.lua;lua/?/init.lua;;" ./embed script.lua
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

#include "devkit4ai.h"

int main (int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: embed script.lua\n");
    return 2;
  }
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_openlibs(L);
  devkit4ai_open(L);
  int failed = luaL_dofile(L, argv[1]);
  if (failed) fprintf(stderr, "embed: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed ? 1 : 0;
}
