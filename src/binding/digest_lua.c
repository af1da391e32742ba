/* digest_lua.c - core.digest and core.digest_file, which show whether bytes changed; core.text_numbers: a number for each of many texts. */
#include "base/digest.h"
#include "base/digest_map.h"
#include "binding.h"
#include "file/file_digest.h"

static const double max_number = 9007199254740992.0;     /* 2^53 */

static int push_digest (lua_State *L, const dk_digest *digest) {
  char text[DK_DIGEST_TEXT];
  dk_digest_format(digest, text);
  lua_pushlstring(L, text, DK_DIGEST_DIGITS);
  return 1;
}

static dk_digest digest_of (lua_State *L, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  return dk_digest_of(text, length);
}

/* digest(text) -> 32 hexadecimal digits, which show whether a text changed */
int dk_lua_digest (lua_State *L) {
  dk_digest digest = digest_of(L, 1);
  return push_digest(L, &digest);
}

/* digest_file(path) -> 32 hexadecimal digits; nil, status, text */
int dk_lua_digest_file (lua_State *L) {
  dk_digest digest;
  dk_failure failure;
  if (dk_file_digest(dk_check_text(L, 1), &digest, &failure) != DK_OK) return dk_push_failure(L, &failure);
  return push_digest(L, &digest);
}

/* text_numbers() -> map: from texts to numbers. It keeps no text, and no garbage collector goes through it */
int dk_lua_text_numbers (lua_State *L) {
  dk_digest_map_init((dk_digest_map *)dk_new_userdata(L, DK_TYPE_TEXT_NUMBERS, sizeof(dk_digest_map)));
  return 1;
}

/* add(text, number) -> nil; the number of the text, if it has one already. number: a whole one, from 1 */
static int map_add (lua_State *L) {
  dk_digest key = digest_of(L, 2);
  dk_digest_value value = {(uint64_t)dk_check_number(L, 3, 1, max_number), {{0, 0}}};
  dk_digest_map *map = (dk_digest_map *)dk_check_self(L, DK_TYPE_TEXT_NUMBERS);
  const dk_digest_value *found = dk_digest_map_get(map, &key);
  if (found != NULL) {
    lua_pushnumber(L, (lua_Number)found->number);
    return 1;
  }
  if (!dk_digest_map_set(map, &key, &value)) return luaL_error(L, "not enough memory");
  return 0;
}

/* clear(), __gc: frees the memory; the map is empty */
static int map_clear (lua_State *L) {
  dk_digest_map_clear((dk_digest_map *)dk_check_self(L, DK_TYPE_TEXT_NUMBERS));
  return 0;
}

void dk_open_digest (lua_State *L) {
  static const luaL_Reg methods[] = {{"add", map_add}, {"clear", map_clear}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", map_clear}, {NULL, NULL}};
  dk_register_type(L, DK_TYPE_TEXT_NUMBERS, methods, meta);
}
