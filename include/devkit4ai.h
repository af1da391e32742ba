/* devkit4ai.h - the interface for programs that link devkit4ai's C code: the one file that `make amalgamation` writes, or the .c
 * files of src/core and src/binding with -Iinclude -Isrc/core. Both need libcurl.
 */
#ifndef DEVKIT4AI_H
#define DEVKIT4AI_H

#ifdef __cplusplus
#include <lua.hpp>
extern "C"
#else
#include <lua.h>
#endif

/* Makes require "devkit4ai" work in L: registers the C core in package.preload, and the Lua files that are compiled in (those of
 * `make amalgamation`; without it, require finds them by package.path). Loads none of them. Call it once for each state, when its
 * libraries are open: the basic functions, package, coroutine, math, os, string and table. Raises a Lua error: a library is missing,
 * or no memory. L: borrowed. */
void devkit4ai_open (lua_State *L);

#endif
