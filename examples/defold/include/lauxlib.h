/* lauxlib.h - the same headers, under the name that devkit4ai.c includes. */
#include "lua.hpp"
