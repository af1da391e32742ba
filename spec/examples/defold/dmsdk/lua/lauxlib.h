/* Stands for the same header of the SDK: LuaJIT, as in Defold. */
#include <luajit-2.1/lauxlib.h>
