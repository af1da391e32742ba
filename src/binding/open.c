/* open.c - devkit4ai_open: the module for programs that link the C code. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "binding.h"
#include "devkit4ai.h"
#include "lua_files.h"

static const dk_lua_file *find_file (const char *module) {
  const dk_lua_file *file = dk_lua_files();
  while (file->module != NULL && strcmp(file->module, module) != 0) file++;
  return file;
}

/* a lua_Reader; state: the next piece */
static const char *next_piece (lua_State *L, void *state, size_t *length) {
  const char *const **at = (const char *const **)state, *piece = **at;
  (void)L;
  *length = piece != NULL ? strlen(piece) : 0;
  if (piece != NULL) ++*at;
  return piece;
}

/* the loader of a compiled-in file in package.preload: compiles it, and runs it with the arguments of a loader */
static int load_file (lua_State *L) {
  const dk_lua_file *file = find_file(luaL_checkstring(L, 1));
  const char *const *pieces = file->pieces;
  lua_settop(L, 2);
  if (lua_load(L, next_piece, &pieces, file->chunk, "t") != 0) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

/* raises if a library is missing that the client needs */
static void check_libraries (lua_State *L) {
  static const char *const names[] = {"package", "coroutine", "math", "os", "string", "table"};
  lua_getglobal(L, "pcall");
  bool has_base = lua_isfunction(L, -1);
  lua_pop(L, 1);
  if (!has_base) luaL_error(L, "devkit4ai_open needs Lua's basic functions (luaopen_base); luaL_openlibs opens all libraries");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    lua_getglobal(L, names[i]);
    if (!lua_istable(L, -1)) luaL_error(L, "devkit4ai_open needs Lua's library %s (luaopen_%s); luaL_openlibs opens all libraries", names[i], names[i]);
    lua_pop(L, 1);
  }
}

void devkit4ai_open (lua_State *L) {
  check_libraries(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_devkit4ai_core);
  lua_setfield(L, -2, "devkit4ai.core");
  lua_pushcfunction(L, load_file);
  for (const dk_lua_file *file = dk_lua_files(); file->module != NULL; file++) {
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, file->module);
  }
  lua_pop(L, 3);
}
