/* core.c - the Lua module devkit4ai.core: constructors and small functions. */
#define _GNU_SOURCE              /* dladdr, RTLD_NODELETE */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "http/ip_address.h"
#include "binding.h"
#include "devkit4ai.h"
#include "engine/engine.h"
#include "http/http_date.h"
#include "image/image_scanner.h"
#include "system/random.h"
#include "http/url.h"

static const char *const kind_names[DK_KINDS] = {
  [DK_ENGINE] = "devkit4ai.engine", [DK_SECRETS] = "devkit4ai.secrets", [DK_HEADERS] = "devkit4ai.headers",
  [DK_REQUEST] = "devkit4ai.request", [DK_LOCK] = "devkit4ai.lock", [DK_BYTES] = "devkit4ai.bytes"};

/* the registry's keys of the metatables: addresses, since a second copy of the module would take the same names */
static char keys[DK_KINDS];

/* adds functions to the table on top, each with the value below it as its upvalue */
static void add_functions (lua_State *L, const luaL_Reg *functions) {
  for (; functions->name != NULL; functions++) {
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, functions->func, 1);
    lua_setfield(L, -2, functions->name);
  }
}

void dk_push_metatable (lua_State *L, dk_kind kind) {
  lua_pushlightuserdata(L, &keys[kind]);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

/* it is in the registry only when it is whole; a second luaopen in the same state keeps the first one's */
void dk_register (lua_State *L, dk_kind kind, const luaL_Reg *methods, const luaL_Reg *metamethods) {
  dk_push_metatable(L, kind);
  bool exists = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (exists) return;
  lua_pushlightuserdata(L, &keys[kind]);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  add_functions(L, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  add_functions(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, kind_names[kind]);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");                /* getmetatable gives it: no program gets at __gc by accident */
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void *dk_new_userdata (lua_State *L, dk_kind kind, size_t size) {
  void *block = memset(lua_newuserdata(L, size), 0, size);
  dk_push_metatable(L, kind);
  lua_setmetatable(L, -2);
  return block;
}

/* a table has no block; a light userdata can't get the metatable without the debug library */
void *dk_test_userdata (lua_State *L, int index, const void *type) {
  void *block = lua_touserdata(L, index);
  if (block == NULL || !lua_getmetatable(L, index)) return NULL;
  bool same = lua_topointer(L, -1) == type;
  lua_pop(L, 1);
  return same ? block : NULL;
}

int dk_type_error (lua_State *L, int arg, dk_kind kind) {
  return luaL_argerror(L, arg, lua_pushfstring(L, "%s expected, got %s", kind_names[kind], luaL_typename(L, arg)));
}

void *dk_check_self (lua_State *L, dk_kind kind) {
  void *self = dk_test_userdata(L, 1, lua_topointer(L, lua_upvalueindex(1)));
  if (self == NULL) dk_type_error(L, 1, kind);
  return self;
}

const char *dk_check_text (lua_State *L, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  luaL_argcheck(L, strlen(text) == length, arg, "a NUL is in it");
  return text;
}

double dk_check_number (lua_State *L, int arg, double least, double most) {
  double number = luaL_checknumber(L, arg);
  luaL_argcheck(L, number >= least && number <= most, arg, "the number is out of range");
  return number;
}

dk_buffer *dk_new_bytes (lua_State *L, size_t cap) {
  dk_buffer *bytes = dk_new_userdata(L, DK_BYTES, sizeof *bytes);
  dk_buffer_init(bytes, cap);
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

/* image_kind(bytes) -> "jpeg", "png", "webp"; nil, status, text: it is no image, or it ends early */
static int image_kind (lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  dk_image image;
  dk_failure failure;
  dk_image_init(&image);
  dk_image_add(&image, bytes, length);
  if (dk_image_check(&image, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushstring(L, dk_image_kind(bytes, length));
  return 1;
}

/* header(head, name) -> its value in an answer's header block, or nil */
static int header (lua_State *L) {
  size_t head_length, length = 0;
  const char *head = luaL_checklstring(L, 1, &head_length);
  const char *value = dk_head_find(head, head_length, dk_check_text(L, 2), &length);
  if (value == NULL) return 0;
  lua_pushlstring(L, value, length);
  return 1;
}

/* a text without a NUL in it; NULL: it has one, and so is none of what these functions read */
static const char *check_line (lua_State *L, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  return strlen(text) == length ? text : NULL;
}

/* delay(text, now) -> the seconds that a Retry-After names, 0 or more; nil: it names none. now: Unix time */
static int delay (lua_State *L) {
  const char *text = check_line(L, 1);
  double seconds, at = luaL_checknumber(L, 2);
  if (text == NULL || !dk_http_delay(text, at, &seconds)) return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

/* date(text) -> Unix time of an HTTP date, or nil */
static int date (lua_State *L) {
  const char *text = check_line(L, 1);
  double unix_time;
  if (text == NULL || !dk_http_date(text, &unix_time)) return 0;
  lua_pushnumber(L, unix_time);
  return 1;
}

/* is_public(host) -> whether an IPv4 or IPv6 address belongs to the public network; nil: it is a name */
static int is_public (lua_State *L) {
  const char *text = check_line(L, 1);
  dk_address_kind kind = text ? dk_address_of(text) : DK_NO_ADDRESS;
  if (kind == DK_NO_ADDRESS) return 0;
  lua_pushboolean(L, kind == DK_PUBLIC_ADDRESS);
  return 1;
}

/* the function that special_fields gives; upvalue 1: its names */
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

/* special_fields(names) -> a function like next, which leaves out fields with a text or a boolean unless names has the key.
 * Most fields of an answer are such: to look at each in Lua takes 4 % of a small call's instructions. */
static int special_fields (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushcclosure(L, next_special, 1);
  return 1;
}

/* reason(number) -> why a system call failed; number: of errno, as io's functions give it */
static int reason (lua_State *L) {
  lua_pushstring(L, dk_reason((int)dk_check_number(L, 1, INT_MIN, INT_MAX)));
  return 1;
}

/* process() -> the id of this process: a fork is noticed by it, also where nothing was sent yet */
static int process (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getpid());
  return 1;
}

/* resolve(base, location) -> the address that a redirect leads to, http or https; nil: it can't be used */
static int resolve (lua_State *L) {
  const char *base = check_line(L, 1), *location = check_line(L, 2);
  char url[DK_MAX_URL];
  if (base == NULL || location == NULL) return 0;
  dk_status status = dk_url_resolve(base, location, url);
  if (status == DK_NO_MEMORY) return luaL_error(L, "not enough memory");
  if (status != DK_OK) return 0;
  lua_pushstring(L, url);
  return 1;
}

/* a dlclose while a resolver thread of libcurl runs would pull the code from under it */
static void pin_library (void) {
  Dl_info info;
  if (dladdr((void *)&dk_register, &info) != 0 && info.dli_fname != NULL) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

int luaopen_devkit4ai_core (lua_State *L) {
  static const luaL_Reg functions[] = {
    {"engine", dk_new_engine}, {"secrets", dk_new_secrets}, {"headers", dk_new_headers}, {"request", dk_new_request}, {"now", now}, {"random", random_number},
    {"image_kind", image_kind}, {"header", header}, {"delay", delay}, {"date", date}, {"is_public", is_public}, {"resolve", resolve}, {"special_fields", special_fields}, {"process", process},
    {"load", dk_load_file}, {"save", dk_save_file}, {"target", dk_file_target}, {"lock", dk_new_lock},
    {"check_save", dk_check_save}, {"check_picture", dk_check_picture},
    {"terminal", dk_terminal_of}, {"writes", dk_terminal_writes_of}, {"ask", dk_ask_line}, {"pause", dk_pause}, {"prepare", dk_prepare_program},
    {"catch_stops", dk_catch_stops}, {"note_stops", dk_note_stops}, {"stopped", dk_stop_signal}, {"reason", reason},
    {NULL, NULL}};
  pin_library();
  dk_open_engine(L);
  dk_open_secrets(L);
  dk_open_request(L);
  dk_open_files(L);
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  return 1;
}

void devkit4ai_open (lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_devkit4ai_core);
  lua_setfield(L, -2, "devkit4ai.core");
  lua_pop(L, 2);
}
