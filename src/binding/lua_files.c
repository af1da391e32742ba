/* lua_files.c - no Lua file is compiled in: require finds them by package.path. tools/amalgamation writes another list. */
#include "lua_files.h"

#include <stddef.h>

static const dk_lua_file files[] = {{NULL, NULL, NULL}};

const dk_lua_file *dk_lua_files (void) { return files; }
