/* lua_files.h - the client's Lua files in the program, for devkit4ai_open. */
#ifndef DK_LUA_FILES_H
#define DK_LUA_FILES_H

#include "compat.h"

/* Puts a loader for each file into the table on top of the stack, package.preload. Raises without memory. */
void dk_preload_lua_files (lua_State *L);

#endif
