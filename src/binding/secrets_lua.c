/* secrets_lua.c - core.secrets and core.headers. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"
#include "secrets/json_string.h"

typedef struct {
  dk_secrets *secrets;           /* NULL: closed */
} secrets_userdata;

static dk_secrets *get_open (lua_State *L, int arg, const secrets_userdata *u) {
  if (u == NULL) dk_type_error(L, arg, DK_TYPE_SECRETS);
  luaL_argcheck(L, u->secrets != NULL, arg, "secrets are closed");
  return u->secrets;
}

dk_secrets *dk_check_secrets (lua_State *L, int arg, const void *metatable) { return get_open(L, arg, (const secrets_userdata *)dk_test_userdata(L, arg, metatable)); }

static dk_secrets *check_self (lua_State *L) { return get_open(L, 1, (secrets_userdata *)dk_check_self(L, DK_TYPE_SECRETS)); }

/* secrets(parent?) -> secrets */
int dk_lua_secrets (lua_State *L) {
  lua_settop(L, 1);
  secrets_userdata *u = (secrets_userdata *)dk_new_userdata(L, DK_TYPE_SECRETS, sizeof *u);
  dk_push_metatable(L, DK_TYPE_SECRETS);
  dk_secrets *parent = lua_isnil(L, 1) ? NULL : dk_check_secrets(L, 1, lua_topointer(L, -1));
  lua_pop(L, 1);
  u->secrets = dk_secrets_new(parent);
  if (u->secrets == NULL) return luaL_error(L, "not enough memory");
  return 1;
}

/* close(), __gc: wipes the set if no child holds it; a second call changes nothing */
static int secrets_close (lua_State *L) {
  secrets_userdata *u = (secrets_userdata *)dk_check_self(L, DK_TYPE_SECRETS);
  dk_secrets_release(u->secrets);
  u->secrets = NULL;
  return 0;
}

/* set(name, value, use?) -> true, or nil, status, text; use: "header" (the default), "body", "shown" */
static int secrets_set (lua_State *L) {
  static const char *const uses[] = {"header", "body", "shown", NULL};
  size_t length;
  const char *name = dk_check_text(L, 2), *value = luaL_checklstring(L, 3, &length);
  dk_slot_use use = (dk_slot_use)luaL_checkoption(L, 4, "header", uses);
  dk_failure failure;
  if (dk_secrets_set(check_self(L), name, value, length, use, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, 1);
  return 1;
}

/* has(name) -> whether the slot has a value, here or in a parent */
static int secrets_has (lua_State *L) {
  const char *name = dk_check_text(L, 2);
  lua_pushboolean(L, dk_secrets_has(check_self(L), name));
  return 1;
}

/* clear(name): removes the slot of this set, so that the parent's is visible again */
static int secrets_clear (lua_State *L) {
  const char *name = dk_check_text(L, 2);
  dk_secrets_remove(check_self(L), name);
  return 0;
}

/* wipe(): wipes all slots of this set */
static int secrets_wipe (lua_State *L) {
  dk_secrets_wipe(check_self(L));
  return 0;
}

static dk_buffer *new_text (lua_State *L) { return dk_new_buffer(L, SIZE_MAX / 2); }

static int push_text (lua_State *L, dk_buffer *text) {
  lua_pushlstring(L, text->bytes, text->length);
  dk_buffer_reset(text);
  return 1;
}

/* mask(text) -> text with *** in place of each secret value */
static int secrets_mask (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  dk_buffer *masked = new_text(L);
  if (dk_secrets_mask(check_self(L), text, length, masked) != DK_OK) return luaL_error(L, "not enough memory");
  return push_text(L, masked);
}

/* shows(text) -> whether text contains a secret value */
static int secrets_shows (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, dk_secrets_appear_in(check_self(L), text, length));
  return 1;
}

/* tag(name) -> a keyed hash of the value as 16 hex digits, valid while the process lives; nil: the slot is empty */
static int secrets_tag (lua_State *L) {
  const char *name = dk_check_text(L, 2);
  const dk_secrets *secrets = check_self(L);
  uint64_t hash;
  char digits[17];
  if (!dk_secrets_has(secrets, name)) return 0;
  if (!dk_secrets_hash(secrets, name, &hash)) return luaL_error(L, "the system has no random bytes");
  snprintf(digits, sizeof digits, "%016" PRIx64, hash);
  lua_pushlstring(L, digits, 16);
  return 1;
}

/* begins(name, start) -> whether the slot has a value that starts with start */
static int secrets_begins (lua_State *L) {
  size_t length;
  const char *name = dk_check_text(L, 2), *start = luaL_checklstring(L, 3, &length);
  lua_pushboolean(L, dk_secrets_starts_with(check_self(L), name, start, length));
  return 1;
}

/* adds the slots at 3 to last that have a value */
static dk_status add_fields (lua_State *L, const dk_secrets *secrets, int last, dk_buffer *out, dk_failure *failure) {
  dk_status status = DK_OK;
  for (int i = 3; i <= last && status == DK_OK; i++) {
    const char *name = lua_tostring(L, i);
    if (dk_secrets_has(secrets, name)) status = dk_secrets_add_json_field(secrets, name, out, failure);
  }
  return status;
}

/* json(object, name...) -> the object with a field for each slot that has a value; for a session store */
static int secrets_json (lua_State *L) {
  size_t length;
  const char *object = luaL_checklstring(L, 2, &length);
  int last = lua_gettop(L);
  luaL_argcheck(L, dk_json_is_object(object, length), 2, "JSON object expected");
  for (int i = 3; i <= last; i++) dk_check_text(L, i);
  dk_buffer *text = new_text(L);
  dk_failure failure;
  if (dk_buffer_add(text, object, length) != DK_OK) return luaL_error(L, "not enough memory");
  if (add_fields(L, check_self(L), last, text, &failure) != DK_OK) return dk_push_failure(L, &failure);
  return push_text(L, text);
}

static int secrets_tostring (lua_State *L) {
  lua_pushliteral(L, "devkit4ai.secrets");
  return 1;
}

enum { MAX_LINES = 1000 };       /* each is on the Lua stack for a moment */

/* pushes the lines of the table at 1, so that the stack anchors them if the table changes; returns their size with the NULs */
static size_t push_lines (lua_State *L, int count) {
  size_t size = 0;
  luaL_checkstack(L, count + 10, "too many header lines");
  for (int i = 1; i <= count; i++) {
    size_t length;
    lua_rawgeti(L, 1, i);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "header line %d: string expected, got %s", i, luaL_typename(L, -1));
    const char *line = lua_tolstring(L, -1, &length);
    if (strcspn(line, "\r\n") != length) luaL_error(L, "header line %d: it has a NUL or a line feed", i);
    size += length + 1;
  }
  return size;
}

/* headers { "Name: text {slot}", "?Name: {slot}", ... } -> templates for core.request */
int dk_lua_headers (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t count = (size_t)lua_rawlen(L, 1);
  luaL_argcheck(L, count <= MAX_LINES, 1, "too many header lines");
  lua_settop(L, 1);
  size_t size = push_lines(L, (int)count);
  dk_headers *headers = (dk_headers *)dk_new_userdata(L, DK_TYPE_HEADERS, sizeof *headers + count * sizeof(char *) + size);
  char *text = (char *)&headers->lines[count];
  headers->count = count;
  for (size_t i = 0; i < count; i++) {
    headers->lines[i] = strcpy(text, lua_tostring(L, (int)i + 2));
    text += strlen(text) + 1;
  }
  return 1;
}

void dk_open_secrets (lua_State *L) {
  static const luaL_Reg methods[] = {
    {"set", secrets_set}, {"has", secrets_has}, {"clear", secrets_clear}, {"wipe", secrets_wipe},
    {"mask", secrets_mask}, {"shows", secrets_shows}, {"tag", secrets_tag}, {"begins", secrets_begins}, {"json", secrets_json}, {"close", secrets_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", secrets_close}, {"__close", secrets_close}, {"__tostring", secrets_tostring}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  dk_register_type(L, DK_TYPE_SECRETS, methods, meta);
  dk_register_type(L, DK_TYPE_HEADERS, none, none);
}
