// A program in C++ that links the library: runs a script, as examples/embed.c does in C.
#include <cstdio>

#include "devkit4ai.h"

int main (int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (L == nullptr || argc != 2) return 2;
  luaL_openlibs(L);
  devkit4ai_open(L);
  bool failed = luaL_dofile(L, argv[1]) != 0;
  if (failed) std::fprintf(stderr, "game: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed ? 1 : 0;
}
