/* secrets_lua.c - core.secrets and core.headers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"

typedef struct {
  dk_secrets *secrets;           /* NULL: closed */
  dk_buffer masked;              /* here, so that no Lua error leaves it behind */
} box;

dk_secrets *dk_check_secrets (lua_State *L, int arg, const void *type) {
  bool same = type != NULL && lua_getmetatable(L, arg) && lua_topointer(L, -1) == type;
  box *b = same ? lua_touserdata(L, arg) : luaL_checkudata(L, arg, DK_SECRETS);
  luaL_argcheck(L, b->secrets != NULL, arg, "secrets are closed");
  return b->secrets;
}

static box *check_self (lua_State *L) {
  box *b = dk_check_self(L, DK_SECRETS);
  luaL_argcheck(L, b->secrets != NULL, 1, "secrets are closed");
  return b;
}

/* secrets(parent?) -> secrets */
int dk_new_secrets (lua_State *L) {
  dk_secrets *parent = lua_isnoneornil(L, 1) ? NULL : dk_check_secrets(L, 1, NULL);
  box *b = lua_newuserdata(L, sizeof *b);
  b->secrets = NULL;
  dk_buffer_init(&b->masked, (size_t)-1 / 2);
  luaL_setmetatable(L, DK_SECRETS);
  b->secrets = dk_secrets_new(parent);
  if (b->secrets == NULL) return luaL_error(L, "not enough memory");
  return 1;
}

/* close(), __gc: wipes what nobody else holds; twice is once */
static int secrets_close (lua_State *L) {
  box *b = dk_check_self(L, DK_SECRETS);
  dk_buffer_reset(&b->masked);
  dk_secrets_release(b->secrets);
  b->secrets = NULL;
  return 0;
}

/* set(name, value, use?) -> true, or nil, status, text; use: "header" (the default), "body", "shown" */
static int secrets_set (lua_State *L) {
  static const char *const uses[] = {"header", "body", "shown", NULL};
  dk_secrets *secrets = check_self(L)->secrets;
  size_t length;
  const char *name = luaL_checkstring(L, 2), *value = luaL_checklstring(L, 3, &length);
  dk_slot_use use = (dk_slot_use)luaL_checkoption(L, 4, "header", uses);
  dk_failure failure;
  if (dk_secrets_set(secrets, name, value, length, use, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, 1);
  return 1;
}

/* has(name) -> whether the slot is filled, here or in a parent */
static int secrets_has (lua_State *L) {
  lua_pushboolean(L, dk_secrets_has(check_self(L)->secrets, luaL_checkstring(L, 2)));
  return 1;
}

/* clear(name): the parent's slot is seen again */
static int secrets_clear (lua_State *L) {
  dk_secrets_clear(check_self(L)->secrets, luaL_checkstring(L, 2));
  return 0;
}

/* wipe(): all slots of this set */
static int secrets_wipe (lua_State *L) {
  dk_secrets_wipe(check_self(L)->secrets);
  return 0;
}

/* mask(text) -> text with each secret's value replaced by *** */
static int secrets_mask (lua_State *L) {
  box *b = check_self(L);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  dk_buffer_cut(&b->masked, 0);
  if (dk_secrets_mask(b->secrets, text, length, &b->masked) != DK_OK) return luaL_error(L, "not enough memory");
  lua_pushlstring(L, b->masked.bytes, b->masked.length);
  dk_buffer_reset(&b->masked);
  return 1;
}

/* shows(text) -> whether a secret's value stands in it */
static int secrets_shows (lua_State *L) {
  const dk_secrets *secrets = check_self(L)->secrets;
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, dk_secrets_shows(secrets, text, length));
  return 1;
}

/* tag(name) -> 16 hex digits that tell two values of the slot apart, for as long as the process lives; nil: it is empty */
static int secrets_tag (lua_State *L) {
  const dk_secrets *secrets = check_self(L)->secrets;
  const char *name = luaL_checkstring(L, 2);
  uint64_t tag;
  char digits[17];
  if (!dk_secrets_has(secrets, name)) return 0;
  if (!dk_secrets_tag(secrets, name, &tag)) return luaL_error(L, "the system has no random bytes");
  snprintf(digits, sizeof digits, "%016" PRIx64, tag);
  lua_pushlstring(L, digits, 16);
  return 1;
}

/* begins(name, start) -> whether the slot is filled and its value begins with start */
static int secrets_begins (lua_State *L) {
  const dk_secrets *secrets = check_self(L)->secrets;
  const char *name = luaL_checkstring(L, 2);
  size_t length;
  const char *start = luaL_checklstring(L, 3, &length);
  lua_pushboolean(L, dk_secrets_begins(secrets, name, start, length));
  return 1;
}

/* json(object, name...) -> the object's text with those of the slots that are filled as fields; for a store, which keeps them */
static int secrets_json (lua_State *L) {
  box *b = check_self(L);
  size_t length;
  const char *object = luaL_checklstring(L, 2, &length);
  int count = lua_gettop(L);
  luaL_argcheck(L, length >= 2 && object[length - 1] == '}', 2, "JSON object expected");
  for (int i = 3; i <= count; i++) luaL_checkstring(L, i);
  dk_buffer_cut(&b->masked, 0);
  dk_failure failure = {DK_OK, ""};
  if (dk_buffer_add(&b->masked, object, length) != DK_OK) return luaL_error(L, "not enough memory");
  for (int i = 3; i <= count && failure.status == DK_OK; i++) {
    const char *name = lua_tostring(L, i);
    if (dk_secrets_has(b->secrets, name)) dk_secrets_field(b->secrets, name, &b->masked, &failure);
  }
  if (failure.status != DK_OK) return dk_push_failure(L, &failure);
  lua_pushlstring(L, b->masked.bytes, b->masked.length);
  dk_buffer_reset(&b->masked);
  return 1;
}

static int secrets_tostring (lua_State *L) {
  lua_pushliteral(L, DK_SECRETS);
  return 1;
}

/* headers { "Name: text {slot}", "?Name: {slot}", ... } -> compiled lines for core.request */
int dk_new_headers (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t count = lua_rawlen(L, 1), size = sizeof(dk_headers) + count * sizeof(char *);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, (int)i);
    if (lua_type(L, -1) != LUA_TSTRING) return luaL_error(L, "header line %d: string expected, got %s", (int)i, luaL_typename(L, -1));
    size += strlen(lua_tostring(L, -1)) + 1;
    lua_pop(L, 1);
  }
  dk_headers *headers = lua_newuserdata(L, size);
  luaL_setmetatable(L, DK_HEADERS);
  char *text = (char *)&headers->line[count];
  headers->count = count;
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, (int)i);
    headers->line[i - 1] = strcpy(text, lua_tostring(L, -1));
    text += strlen(text) + 1;
    lua_pop(L, 1);
  }
  return 1;
}

void dk_open_secrets (lua_State *L) {
  static const luaL_Reg methods[] = {
    {"set", secrets_set}, {"has", secrets_has}, {"clear", secrets_clear}, {"wipe", secrets_wipe},
    {"mask", secrets_mask}, {"shows", secrets_shows}, {"tag", secrets_tag}, {"begins", secrets_begins}, {"json", secrets_json}, {"close", secrets_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", secrets_close}, {"__close", secrets_close}, {"__tostring", secrets_tostring}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  dk_register(L, DK_SECRETS, methods, meta);
  dk_register(L, DK_HEADERS, none, none);
}
