/* lua.hpp - the headers of Defold's LuaJIT, under the name that devkit4ai.h includes in C++. */
#ifndef DEVKIT4AI_LUA_HPP
#define DEVKIT4AI_LUA_HPP

extern "C" {
#include <dmsdk/lua/lua.h>
#include <dmsdk/lua/lauxlib.h>
}

#endif
