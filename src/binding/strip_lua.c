/* strip_lua.c - core.strip: the one walk over a decoded answer. */
#include "binding.h"

enum { ROOT = 1, NAMES = 2, SECRETS = 3, DEPTHS = 4 };     /* places on the stack */

static int depth_of (lua_State *L, int key) {
  lua_pushvalue(L, key);
  lua_rawget(L, DEPTHS);
  int depth = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return depth;
}

/* keeps the secret on top under its key; one that stands deeper wins, since a flat copy may stand above it */
static void keep (lua_State *L, int key, int depth) {
  if (lua_isnil(L, SECRETS)) {
    lua_newtable(L);
    lua_replace(L, SECRETS);
    lua_newtable(L);
    lua_replace(L, DEPTHS);
  }
  if (depth_of(L, key) > depth) return;
  lua_pushvalue(L, key);
  lua_pushvalue(L, -2);
  lua_rawset(L, SECRETS);
  lua_pushvalue(L, key);
  lua_pushinteger(L, depth);
  lua_rawset(L, DEPTHS);
}

static int is_secret (lua_State *L, int key) {
  lua_pushvalue(L, key);
  lua_rawget(L, NAMES);
  int named = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return named;
}

/* what stands in the place of the value on top: 0 itself, 1 what is on top now */
static int replace (lua_State *L, int key, int depth) {
  switch (lua_type(L, -1)) {
    case LUA_TNUMBER: return dk_make_integer(L);
    case LUA_TBOOLEAN: return 0;
    case LUA_TSTRING:
      if (!is_secret(L, key)) return 0;
      keep(L, key, depth);
      break;
    default: break;              /* cjson's null, a light userdata */
  }
  lua_pushnil(L);
  return 1;
}

/* the table on top; what it changes are values of keys that are there, so the traversal goes on */
static void walk (lua_State *L, int depth) {
  int table = lua_gettop(L), key = table + 1;
  luaL_checkstack(L, 8, "too deeply nested");
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    if (lua_istable(L, -1)) {
      walk(L, depth + 1);
    } else if (replace(L, key, depth)) {
      lua_pushvalue(L, key);
      lua_insert(L, -2);
      lua_rawset(L, table);
    }
    lua_settop(L, key);
  }
}

/* strip(value, names) -> secrets or nil: takes from value, in place and at every depth, what is neither table, string,
 * number nor boolean (a decoder's null), and the strings under the given names, which come back by name; whole numbers
 * become integers */
int dk_strip (lua_State *L) {
  luaL_checktype(L, ROOT, LUA_TTABLE);
  luaL_checktype(L, NAMES, LUA_TTABLE);
  lua_settop(L, NAMES);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, ROOT);
  walk(L, 1);
  lua_settop(L, SECRETS);
  return 1;
}
