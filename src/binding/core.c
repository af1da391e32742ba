/* core.c - the Lua module devkit4ai.core: constructors and small functions. */
#include <limits.h>
#include <string.h>

#include "binding.h"
#include "engine/process.h"
#include "http/header.h"
#include "http/http_date.h"
#include "http/ip_address.h"
#include "http/url.h"
#include "image/image_scanner.h"
#include "os/os.h"
#include "os/threads.h"
#include "system/random.h"
#include "transfer/curl_check.h"

static const char *const type_names[DK_TYPE_COUNT] = {
  "devkit4ai.engine", "devkit4ai.secrets", "devkit4ai.headers", "devkit4ai.request", "devkit4ai.lock", "devkit4ai.bytes", "devkit4ai.journal",
  "devkit4ai.text_numbers", "devkit4ai.job_states"};

/* registry keys of the metatables: addresses, because a second copy of the module would use the same names */
static char keys[DK_TYPE_COUNT];

/* adds functions to the table on top, each with the value below the table as its upvalue */
static void add_functions (lua_State *L, const luaL_Reg *functions) {
  for (; functions->name != NULL; functions++) {
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, functions->func, 1);
    lua_setfield(L, -2, functions->name);
  }
}

void dk_push_metatable (lua_State *L, dk_userdata_type type) {
  lua_pushlightuserdata(L, &keys[type]);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

/* the registry gets the metatable when it is complete; a second luaopen in the same state keeps the first one's */
void dk_register_type (lua_State *L, dk_userdata_type type, const luaL_Reg *methods, const luaL_Reg *metamethods) {
  dk_push_metatable(L, type);
  bool exists = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (exists) return;
  lua_pushlightuserdata(L, &keys[type]);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  add_functions(L, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  add_functions(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, type_names[type]);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");                /* getmetatable returns it, so no program gets __gc by accident */
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void *dk_new_userdata (lua_State *L, dk_userdata_type type, size_t size) {
  void *block = memset(lua_newuserdata(L, size), 0, size);
  dk_push_metatable(L, type);
  lua_setmetatable(L, -2);
  return block;
}

/* lua_touserdata is NULL for a table; a light userdata can't get the metatable without the debug library */
void *dk_test_userdata (lua_State *L, int index, const void *metatable) {
  void *block = lua_touserdata(L, index);
  if (block == NULL || !lua_getmetatable(L, index)) return NULL;
  bool same = lua_topointer(L, -1) == metatable;
  lua_pop(L, 1);
  return same ? block : NULL;
}

int dk_type_error (lua_State *L, int arg, dk_userdata_type type) {
  return luaL_argerror(L, arg, lua_pushfstring(L, "%s expected, got %s", type_names[type], luaL_typename(L, arg)));
}

void *dk_check_self (lua_State *L, dk_userdata_type type) {
  void *self = dk_test_userdata(L, 1, lua_topointer(L, lua_upvalueindex(1)));
  if (self == NULL) dk_type_error(L, 1, type);
  return self;
}

const char *dk_check_text (lua_State *L, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  luaL_argcheck(L, strlen(text) == length, arg, "it has a NUL");
  return text;
}

double dk_check_number (lua_State *L, int arg, double least, double most) {
  double number = luaL_checknumber(L, arg);
  luaL_argcheck(L, number >= least && number <= most, arg, "the number is out of range");
  return number;
}

dk_buffer *dk_new_buffer (lua_State *L, size_t limit) {
  dk_buffer *bytes = (dk_buffer *)dk_new_userdata(L, DK_TYPE_BUFFER, sizeof *bytes);
  dk_buffer_init(bytes, limit);
  return bytes;
}

int dk_push_failure (lua_State *L, const dk_failure *failure) {
  if (failure->status == DK_NO_MEMORY) return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushstring(L, dk_status_name(failure->status));
  lua_pushstring(L, failure->text);
  return 3;
}

/* now() -> seconds on the monotonic clock */
static int now (lua_State *L) {
  lua_pushnumber(L, dk_now());
  return 1;
}

/* random() -> a number from 0 to below 1, from the system's random source */
static int random_number (lua_State *L) {
  lua_pushnumber(L, dk_random());
  return 1;
}

/* image_kind(bytes) -> "jpeg", "png", "webp"; nil, status, text: not an image, or it ends early */
static int image_kind (lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  dk_image_scanner image;
  dk_failure failure;
  dk_image_scanner_init(&image);
  dk_image_scanner_add(&image, bytes, length);
  if (dk_image_scanner_check(&image, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushstring(L, dk_image_kind(bytes, length));
  return 1;
}

/* header(block, name) -> the value of a header in a block of headers, or nil */
static int header (lua_State *L) {
  size_t block_length, length = 0;
  const char *block = luaL_checklstring(L, 1, &block_length);
  const char *value = dk_header_find(block, block_length, dk_check_text(L, 2), &length);
  if (value == NULL) return 0;
  lua_pushlstring(L, value, length);
  return 1;
}

/* a text; NULL: it has a NUL, so none of these functions accepts it */
static const char *check_string (lua_State *L, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  return strlen(text) == length ? text : NULL;
}

/* delay(text, now) -> the seconds of a Retry-After header, 0 or more; nil: not such a value. now: Unix time */
static int delay (lua_State *L) {
  const char *text = check_string(L, 1);
  double seconds, at = luaL_checknumber(L, 2);
  if (text == NULL || !dk_retry_after_parse(text, at, &seconds)) return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

/* date(text) -> Unix time of an HTTP date, or nil */
static int date (lua_State *L) {
  const char *text = check_string(L, 1);
  double unix_time;
  if (text == NULL || !dk_http_date_parse(text, &unix_time)) return 0;
  lua_pushnumber(L, unix_time);
  return 1;
}

/* is_public(host) -> whether an IPv4 or IPv6 address is public; nil: not an address */
static int is_public (lua_State *L) {
  const char *text = check_string(L, 1);
  dk_ip_class kind = text ? dk_ip_classify(text) : DK_IP_NONE;
  if (kind == DK_IP_NONE) return 0;
  lua_pushboolean(L, kind == DK_IP_PUBLIC);
  return 1;
}

/* the function that special_fields returns; upvalue 1: its names */
static int next_special (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  while (lua_next(L, 1) != 0) {
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TBOOLEAN) return 2;
    lua_pushvalue(L, -2);
    lua_rawget(L, lua_upvalueindex(1));
    if (lua_toboolean(L, -1)) {
      lua_pop(L, 1);
      return 2;
    }
    lua_pop(L, 2);
  }
  return 0;
}

/* special_fields(names) -> a function like next, which skips a field with a string or a boolean, unless names has its key.
 * Most fields of a response are such; a Lua loop over them takes 4 % of a small call's instructions. */
static int special_fields (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushcclosure(L, next_special, 1);
  return 1;
}

/* reason(number) -> the text for an errno, as Lua's io functions return it */
static int reason (lua_State *L) {
  lua_pushstring(L, dk_errno_text((int)dk_check_number(L, 1, INT_MIN, INT_MAX)));
  return 1;
}

/* process() -> the id of this process, which shows a fork before anything was sent */
static int process (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)dk_process_id());
  return 1;
}

/* resolve(base, location) -> the URL of a redirect, http or https; nil: it can't be used */
static int resolve (lua_State *L) {
  const char *base = check_string(L, 1), *location = check_string(L, 2);
  char url[DK_MAX_URL];
  if (base == NULL || location == NULL) return 0;
  dk_status status = dk_url_resolve(base, location, url);
  if (status == DK_NO_MEMORY) return luaL_error(L, "not enough memory");
  if (status != DK_OK) return 0;
  lua_pushstring(L, url);
  return 1;
}

/* is_yieldable() -> whether the running coroutine can yield here; nil: this Lua can't tell. nginx hides Lua's own function. */
static int is_yieldable (lua_State *L) {
  if (!DK_HAS_ISYIELDABLE) return 0;
  lua_pushboolean(L, lua_isyieldable(L));
  return 1;
}

int luaopen_devkit4ai_core (lua_State *L) {
  static const luaL_Reg functions[] = {
    {"engine", dk_lua_engine}, {"secrets", dk_lua_secrets}, {"headers", dk_lua_headers}, {"request", dk_lua_request}, {"now", now}, {"random", random_number},
    {"image_kind", image_kind}, {"header", header}, {"delay", delay}, {"date", date}, {"is_public", is_public}, {"resolve", resolve}, {"special_fields", special_fields}, {"process", process}, {"is_yieldable", is_yieldable},
    {"load", dk_lua_load}, {"save", dk_lua_save}, {"target", dk_lua_target}, {"lock", dk_lua_lock},
    {"check_save", dk_lua_check_save}, {"make_folder", dk_lua_make_folder}, {"check_picture", dk_lua_check_picture}, {"check_image", dk_lua_check_image}, {"list", dk_lua_list}, {"exists", dk_lua_exists},
    {"journal", dk_lua_journal}, {"sync_folder", dk_lua_sync_folder}, {"digest", dk_lua_digest}, {"digest_file", dk_lua_digest_file},
    {"text_numbers", dk_lua_text_numbers}, {"check_lines", dk_lua_check_lines}, {"job_states", dk_lua_job_states}, {"text_line", dk_lua_text_line}, {"plain_row", dk_lua_plain_row},
    {"host_name", dk_lua_host_name},
    {"terminal", dk_lua_terminal}, {"writes", dk_lua_writes}, {"ask", dk_lua_ask}, {"pause", dk_lua_pause}, {"prepare", dk_lua_prepare},
    {"catch_stops", dk_lua_catch_stops}, {"note_stops", dk_lua_note_stops}, {"utf8", dk_lua_utf8}, {"stopped", dk_lua_stopped}, {"reason", reason},
    {NULL, NULL}};
  dk_failure failure;
  if (!DK_RIGHT_LUA(L)) return luaL_error(L, "devkit4ai.core was built for " LUA_VERSION ", and this is another Lua; build it for this one");
  if (dk_curl_check(&failure) != DK_OK) return luaL_error(L, "devkit4ai.core: %s", failure.text);
  dk_pin_library(keys);
  dk_open_engine(L);
  dk_open_secrets(L);
  dk_open_request(L);
  dk_open_files(L);
  dk_open_journal(L);
  dk_open_job_states(L);
  dk_open_digest(L);
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pushboolean(L, DK_HAS_THREADS);
  lua_setfield(L, -2, "threads");     /* false: only next(seconds) steps an engine */
  return 1;
}
