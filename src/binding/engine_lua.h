/* engine_lua.h - what the files with the methods of core.engine share. */
#ifndef DK_ENGINE_LUA_H
#define DK_ENGINE_LUA_H

#include "binding.h"
#include "engine/engine.h"

#define DK_FORKED_TEXT "a call was made before the process forked, so this client is its parent's"
#define DK_RESOURCES_TEXT "no memory, descriptor or thread is left"

/* The engine of a method's argument 1; raises if it is closed. The userdata owns it. */
dk_engine *dk_check_engine (lua_State *L);

/* Methods; engine_signal_lua.c describes them. */
int dk_lua_engine_fd (lua_State *L);
int dk_lua_engine_listen (lua_State *L);
int dk_lua_engine_alarm (lua_State *L);

#endif
