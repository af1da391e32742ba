/* lua_files.c - the client's Lua files in the program: tools/amalgamation puts it in the place of src/binding/lua_files.c. */
#include "lua_files.h"

#include <string.h>

#include "binding.h"
#include "lua_texts.h"           /* from tools/amalgamation: files, TEXTS_SIZE, packed */

enum { SUFFIX = sizeof ".lua" - 1, INIT = sizeof "/init" - 1 };

/* its address is the registry key of a weak table with the unpacked texts: modules that load together unpack them once */
static char texts_key;

/* a number of an LZ4 block: four bits of the token, and more bytes if all four are set */
static size_t read_length (unsigned bits, const unsigned char **at) {
  size_t length = bits;
  if (bits < 15) return length;
  do length += **at;
  while (*(*at)++ == 255);
  return length;
}

/* unpacks the LZ4 block, which ends with literals */
static void unpack (char *to) {
  for (const unsigned char *at = packed, *end = packed + sizeof packed;;) {
    unsigned token = *at++;
    size_t length = read_length(token >> 4, &at);
    memcpy(to, at, length);
    to += length;
    at += length;
    if (at == end) return;
    const char *from = to - (at[0] | at[1] << 8);
    at += 2;
    for (length = read_length(token & 15, &at) + 4; length > 0; length--) *to++ = *from++;   /* they may overlap */
  }
}

/* pushes the userdata with the texts, and returns them */
static const char *push_texts (lua_State *L) {
  lua_pushlightuserdata(L, &texts_key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_rawgeti(L, -1, 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    unpack((char *)lua_newuserdata(L, TEXTS_SIZE));
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, 1);
  }
  return (const char *)lua_touserdata(L, -1);
}

/* the loader of a file, whose index is upvalue 1: compiles it, and calls it with the loader's arguments, the module's name first */
static int load_file (lua_State *L) {
  int i = (int)lua_tointeger(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  dk_unmark_module(L);
  const char *texts = push_texts(L);                  /* on the stack until the file's own modules are loaded, too */
  const char *start = texts + (i > 0 ? files[i - 1].end : 0);
  if (luaL_loadbuffer(L, start, (size_t)(texts + files[i].end - start), files[i].chunk) != 0) return lua_error(L);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* pushes the module of a chunk: "=a/b.lua" and "=a/b/init.lua" are a.b */
static const char *push_module (lua_State *L, const char *chunk) {
  size_t length = strlen(chunk) - SUFFIX;
  if (strncmp(chunk + length - INIT, "/init", INIT) == 0) length -= INIT;
  lua_pushlstring(L, chunk + 1, length - 1);
  return luaL_gsub(L, lua_tostring(L, -1), "/", ".");
}

void dk_preload_lua_files (lua_State *L) {
  lua_pushlightuserdata(L, &texts_key);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    const char *module = push_module(L, files[i].chunk);
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushcclosure(L, load_file, 1);
    lua_setfield(L, -4, module);
    lua_pop(L, 2);
  }
}
