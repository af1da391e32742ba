/* devkit4ai.h - the interface for programs that link devkit4ai's C sources.
 *
 * Compile the .c files of src/core and src/binding with -Iinclude -Isrc/core, and link libcurl. Call devkit4ai_open once for each
 * Lua state, after luaL_openlibs. Then require "devkit4ai" finds the Lua files by package.path.
 */
#ifndef DEVKIT4AI_H
#define DEVKIT4AI_H

#include <lua.h>

/* Puts the C core into package.preload of L. Raises a Lua error without memory. L: borrowed. */
void devkit4ai_open (lua_State *L);

#endif
