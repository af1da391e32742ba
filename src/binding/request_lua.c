#include "request_lua.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "secrets/json_string.h"

/* Reads one request table. Each field is read once, because a metamethod may return another value the next time. */
typedef struct {
  lua_State *L;
  int anchors;                   /* stack index of the table that holds the strings of the request */
  int count;                     /* strings in it */
} table_reader;

static int bad_value (table_reader *r, const char *name, const char *wanted) {
  return luaL_error(r->L, "field '%s': %s expected, got %s", name, wanted, luaL_typename(r->L, -1));
}

/* moves the value on top of the stack into the anchors */
static void anchor (table_reader *r) { lua_rawseti(r->L, r->anchors, ++r->count); }

/* takes the string on top and anchors it, so that the pointer is valid as long as the userdata; nil: NULL */
static const char *take_bytes (table_reader *r, const char *name, size_t *length) {
  if (lua_isnil(r->L, -1)) {
    lua_pop(r->L, 1);
    return NULL;
  }
  if (lua_type(r->L, -1) != LUA_TSTRING) bad_value(r, name, "string");
  const char *bytes = lua_tolstring(r->L, -1, length);
  anchor(r);
  return bytes;
}

/* the same for a string that C reads up to a NUL */
static const char *take_text (table_reader *r, const char *name) {
  size_t length = 0;
  const char *text = take_bytes(r, name, &length);
  if (text != NULL && strlen(text) != length) luaL_error(r->L, "field '%s': it has a NUL", name);
  return text;
}

static const char *bytes_field (table_reader *r, int index, const char *name, size_t *length) {
  lua_getfield(r->L, index, name);
  return take_bytes(r, name, length);
}

static const char *text_field (table_reader *r, int index, const char *name) {
  lua_getfield(r->L, index, name);
  return take_text(r, name);
}

static double number_field (table_reader *r, int index, const char *name, double most, double fallback) {
  lua_getfield(r->L, index, name);
  if (!lua_isnil(r->L, -1)) {
    if (lua_type(r->L, -1) != LUA_TNUMBER) bad_value(r, name, "number");
    fallback = lua_tonumber(r->L, -1);
    if (!(fallback >= 0 && fallback <= most)) luaL_error(r->L, "field '%s': the number is out of range", name);
  }
  lua_pop(r->L, 1);
  return fallback;
}

static size_t size_field (table_reader *r, int index, const char *name, size_t fallback) {
  return (size_t)number_field(r, index, name, (double)(SIZE_MAX / 4), (double)fallback);
}

static double seconds_field (table_reader *r, int index, const char *name) { return number_field(r, index, name, DBL_MAX, 0); }

/* pushes the list in the field; returns its length, 0 for nil */
static int open_list (table_reader *r, int index, const char *name, int most) {
  lua_getfield(r->L, index, name);
  if (lua_isnil(r->L, -1)) return 0;
  if (!lua_istable(r->L, -1)) bad_value(r, name, "table");
  size_t count = (size_t)lua_rawlen(r->L, -1);
  if (count > (size_t)most) luaL_error(r->L, "field '%s': more than %d", name, most);
  return (int)count;
}

static const char *take_required (table_reader *r, const char *name) {
  if (lua_isnil(r->L, -1)) bad_value(r, name, "string");
  return take_text(r, name);
}

static void read_slots (table_reader *r, int index, dk_request_table *t) {
  t->slot_count = open_list(r, index, "slots", DK_MAX_SLOTS);
  for (int i = 0; i < t->slot_count; i++) {
    lua_rawgeti(r->L, -1, i + 1);
    t->slots[i] = take_required(r, "slots");
  }
  lua_pop(r->L, 1);
  if (t->slot_count > 0 && !dk_json_is_object(t->json, t->json_length)) luaL_error(r->L, "field 'json': an object expected");
}

/* files: { "path", { data = bytes, filename = name }, ... } */
static void read_files (table_reader *r, int form, dk_request_table *t) {
  t->file_count = open_list(r, form, "files", DK_MAX_FILES);
  for (int i = 0; i < t->file_count; i++) {
    lua_rawgeti(r->L, -1, i + 1);
    if (!lua_istable(r->L, -1)) {
      t->files[i].path = take_required(r, "files");
      continue;
    }
    int file = lua_gettop(r->L);
    t->files[i].bytes = bytes_field(r, file, "data", &t->files[i].length);
    t->files[i].filename = text_field(r, file, "filename");
    if (t->files[i].bytes == NULL || t->files[i].filename == NULL) luaL_error(r->L, "field 'files': data and filename expected");
    lua_pop(r->L, 1);
  }
  lua_pop(r->L, 1);
}

/* fields: { { name, text }, ... } */
static void read_fields (table_reader *r, int form, dk_request_table *t) {
  t->field_count = open_list(r, form, "fields", DK_MAX_FIELDS);
  for (int i = 0; i < t->field_count; i++) {
    lua_rawgeti(r->L, -1, i + 1);
    if (!lua_istable(r->L, -1)) bad_value(r, "fields", "table");
    lua_rawgeti(r->L, -1, 2);
    t->fields[i].text = take_bytes(r, "fields", &t->fields[i].length);
    lua_rawgeti(r->L, -1, 1);
    t->fields[i].name = take_text(r, "fields");
    if (t->fields[i].text == NULL || t->fields[i].name == NULL) luaL_error(r->L, "field 'fields': a name and a text expected");
    lua_pop(r->L, 1);
  }
  lua_pop(r->L, 1);
}

static void read_form (table_reader *r, int index, dk_request_table *t) {
  lua_getfield(r->L, index, "form");
  if (!lua_isnil(r->L, -1)) {
    if (!lua_istable(r->L, -1)) bad_value(r, "form", "table");
    int form = lua_gettop(r->L);
    lua_getfield(r->L, form, "part");
    t->part = take_required(r, "part");
    t->max_bytes = size_field(r, form, "max_bytes", 0);
    read_files(r, form, t);
    read_fields(r, form, t);
  }
  lua_pop(r->L, 1);
}

static unsigned read_flags (lua_State *L, int index) {
  static const struct { const char *name; unsigned flag; } rows[] = {
    {"once", DK_ONCE}, {"public", DK_PUBLIC}, {"overwrite", DK_OVERWRITE}, {"head", DK_WANT_HEADERS}, {"times", DK_WANT_TIMES}};
  unsigned flags = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    lua_getfield(L, index, rows[i].name);
    flags |= lua_toboolean(L, -1) ? rows[i].flag : 0;
    lua_pop(L, 1);
  }
  return flags;
}

static bool is_method (const char *text) {
  size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  return letters > 0 && letters <= DK_MAX_METHOD && text[letters] == '\0';
}

static const dk_headers *read_headers (table_reader *r, int index) {
  lua_getfield(r->L, index, "headers");
  dk_push_metatable(r->L, DK_TYPE_HEADERS);
  const dk_headers *headers = (const dk_headers *)dk_test_userdata(r->L, -2, lua_topointer(r->L, -1));
  lua_pop(r->L, 1);
  if (headers == NULL) bad_value(r, "headers", "devkit4ai.headers");
  anchor(r);
  return headers;
}

static void read_request (table_reader *r, int index, dk_request_table *t) {
  dk_request *q = &t->request;
  q->method = text_field(r, index, "method");
  q->url = text_field(r, index, "url");
  if (q->method == NULL || q->url == NULL) luaL_error(r->L, "a request needs a method and a url");
  if (!is_method(q->method)) luaL_error(r->L, "field 'method': 1 to %d letters expected", DK_MAX_METHOD);
  q->ca_file = text_field(r, index, "ca_file");
  q->proxy = text_field(r, index, "proxy");
  q->save_as = text_field(r, index, "save_as");
  q->limits.connect = seconds_field(r, index, "connect");
  q->limits.idle = seconds_field(r, index, "idle");
  q->limits.total = seconds_field(r, index, "total");
  q->limits.response_bytes = size_field(r, index, "max_answer", 16 * 1024 * 1024);
  q->flags = read_flags(r->L, index);
  t->headers = read_headers(r, index);
  t->json = bytes_field(r, index, "json", &t->json_length);
  if (t->json != NULL) read_slots(r, index, t);
  else read_form(r, index, t);
}

/* request(table) -> request, which can be submitted any number of times; later changes of the table do not matter */
int dk_lua_request (lua_State *L) {
  enum { ANCHORS = 8 };          /* the usual number, for a request with JSON */
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  dk_request_table *t = (dk_request_table *)dk_new_userdata(L, DK_TYPE_REQUEST, sizeof *t);
  lua_createtable(L, ANCHORS, 0);
  lua_pushvalue(L, -1);
  lua_setuservalue(L, 2);
  table_reader r = {.L = L, .anchors = 3};
  read_request(&r, 1, t);
  lua_settop(L, 2);
  return 1;
}

const dk_request_table *dk_check_request (lua_State *L, int arg, const void *metatable) {
  const dk_request_table *t = (const dk_request_table *)dk_test_userdata(L, arg, metatable);
  if (t == NULL) dk_type_error(L, arg, DK_TYPE_REQUEST);
  return t;
}

void dk_open_request (lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  dk_register_type(L, DK_TYPE_REQUEST, none, none);
}

static dk_status build_headers (const dk_request_table *t, const dk_secrets *secrets, dk_buffer *headers, dk_failure *failure) {
  dk_status status = DK_OK;
  for (size_t i = 0; i < t->headers->count && status == DK_OK; i++) status = dk_secrets_fill_header(secrets, t->headers->lines[i], headers, failure);
  return status;
}

static dk_status build_json (const dk_request_table *t, const dk_secrets *secrets, dk_buffer *body, dk_failure *failure) {
  dk_status status = dk_buffer_add(body, t->json, t->json_length);
  if (status != DK_OK) return dk_fail(failure, status, status == DK_NO_MEMORY ? "no memory" : "the body is too long");
  for (int i = 0; i < t->slot_count && status == DK_OK; i++) status = dk_secrets_add_json_field(secrets, t->slots[i], body, failure);
  return status;
}

static dk_status build_form (const dk_request_table *t, dk_form *form, dk_failure *failure) {
  dk_status status = DK_OK;
  for (int i = 0; i < t->file_count && status == DK_OK; i++) {
    status = t->files[i].path ? dk_form_add_file(form, t->part, t->files[i].path, t->max_bytes, failure)
                              : dk_form_add_bytes(form, t->part, t->files[i].filename, t->files[i].bytes, t->files[i].length, t->max_bytes, failure);
  }
  for (int i = 0; i < t->field_count && status == DK_OK; i++) status = dk_form_add_text(form, t->fields[i].name, t->fields[i].text, t->fields[i].length, failure);
  return status;
}

static dk_status build_parts (const dk_request_table *t, const dk_secrets *secrets, dk_request *r, dk_failure *failure) {
  dk_status status = build_headers(t, secrets, &r->headers, failure);
  r->has_body = t->json != NULL;
  if (status == DK_OK && t->json != NULL) status = build_json(t, secrets, &r->body, failure);
  if (status != DK_OK || t->part == NULL) return status;
  r->form = dk_form_new();
  if (r->form == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  return build_form(t, r->form, failure);
}

dk_xfer *dk_build_transfer (const dk_request_table *t, const dk_secrets *secrets, dk_failure *failure) {
  enum { MAX_BODY = 16 * 1024 * 1024, MAX_LOGIN = 4096 };      /* bytes; the API refuses larger JSON */
  dk_request request = t->request;
  dk_xfer *x = NULL;
  dk_buffer login;
  dk_buffer_init(&request.headers, DK_MAX_HEADERS);
  dk_buffer_init(&request.body, MAX_BODY);
  dk_buffer_init(&login, MAX_LOGIN);
  dk_status status = request.proxy ? dk_secrets_fill_header(secrets, "?{proxy_login}", &login, failure) : DK_OK;
  if (status == DK_OK) status = build_parts(t, secrets, &request, failure);
  request.proxy_login = login.length > 0 ? login.bytes : NULL;
  if (status == DK_OK) {
    x = dk_xfer_new(&request, failure);
  } else {
    dk_buffer_reset(&request.headers);
    dk_buffer_reset(&request.body);
    dk_form_free(request.form);
  }
  dk_buffer_reset(&login);
  return x;
}
