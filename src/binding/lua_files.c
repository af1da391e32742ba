#include "lua_files.h"

/* None is here: require finds them by package.path. src/amalgamation/ has the files in the program. */
void dk_preload_lua_files (lua_State *L) { (void)L; }
