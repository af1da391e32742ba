/* lua_files.h - the client's Lua files in the program, for devkit4ai_open. */
#ifndef DK_LUA_FILES_H
#define DK_LUA_FILES_H

#include "compat.h"

/* Puts a loader for each file into the table on top of the stack, package.preload. Raises without memory. */
void dk_preload_lua_files (lua_State *L);

/* For a loader in package.preload, whose argument 1 is the module's name: Lua 5.1's require marks a module before it calls the loader,
 * and never loads it again if an error ends the loader, such as a lack of memory. Without the mark, the next require does. */
void dk_unmark_module (lua_State *L);

#endif
