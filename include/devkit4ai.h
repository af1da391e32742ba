/* devkit4ai.h - for programs that link devkit4ai's C sources in.
 *
 * Compile src/core and src/binding with your own sources, link libcurl, and call devkit4ai_open once for each Lua state
 * that has its standard libraries; require "devkit4ai" then finds the Lua files by package.path as usual.
 */
#ifndef DEVKIT4AI_H
#define DEVKIT4AI_H

#include <lua.h>

/* Puts the C core into package.preload of L. Raises a Lua error where there is no memory. L: borrowed. */
void devkit4ai_open (lua_State *L);

#endif
