#include "request_lua.h"

/* the string on top; a number would be converted in its place on the stack alone, and go with it */
static const char *string_on_top (lua_State *L, size_t *length) {
  if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "a string expected, got %s", luaL_typename(L, -1));
  return lua_tolstring(L, -1, length);
}

/* opens the list at field name, if there is one: leaves it on the stack and gives its length */
static int open_list (lua_State *L, int index, const char *name, int most) {
  lua_getfield(L, index, name);
  if (lua_isnil(L, -1)) return 0;
  if (!lua_istable(L, -1)) luaL_error(L, "field '%s': table expected, got %s", name, luaL_typename(L, -1));
  if (lua_rawlen(L, -1) > (size_t)most) luaL_error(L, "field '%s': more than %d", name, most);
  return (int)lua_rawlen(L, -1);
}

static void read_slots (lua_State *L, int index, dk_request_table *t) {
  t->slot_count = open_list(L, index, "slots", DK_MAX_SLOTS);
  for (int i = 0; i < t->slot_count; i++) {
    lua_rawgeti(L, -1, i + 1);
    t->slots[i] = string_on_top(L, NULL);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* files: { "path", { data = bytes, filename = name }, ... } */
static void read_files (lua_State *L, int form, dk_request_table *t) {
  t->file_count = open_list(L, form, "files", DK_MAX_FILES);
  for (int i = 0; i < t->file_count; i++) {
    lua_rawgeti(L, -1, i + 1);
    if (lua_istable(L, -1)) {
      t->files[i].bytes = dk_text_field(L, lua_gettop(L), "data", &t->files[i].length);
      t->files[i].filename = dk_text_field(L, lua_gettop(L), "filename", NULL);
    } else {
      t->files[i].path = string_on_top(L, NULL);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* fields: { { name, text }, ... } */
static void read_fields (lua_State *L, int form, dk_request_table *t) {
  t->field_count = open_list(L, form, "fields", DK_MAX_FIELDS);
  for (int i = 0; i < t->field_count; i++) {
    lua_rawgeti(L, -1, i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_rawgeti(L, -1, 2);
    t->fields[i].text = string_on_top(L, &t->fields[i].length);
    lua_rawgeti(L, -2, 1);
    t->fields[i].name = string_on_top(L, NULL);
    lua_pop(L, 3);
  }
  lua_pop(L, 1);
}

static void read_form (lua_State *L, int index, dk_request_table *t) {
  lua_getfield(L, index, "form");
  if (lua_istable(L, -1)) {
    int form = lua_gettop(L);
    t->part = dk_text_field(L, form, "part", NULL);
    t->max_bytes = (size_t)dk_number_field(L, form, "max_bytes", 0);
    read_files(L, form, t);
    read_fields(L, form, t);
  }
  lua_pop(L, 1);
}

static unsigned read_flags (lua_State *L, int index) {
  static const struct { const char *name; unsigned flag; } rows[] = {
    {"once", DK_ONCE}, {"public", DK_PUBLIC}, {"overwrite", DK_OVERWRITE}, {"head", DK_HEAD}, {"times", DK_TIMES}};
  unsigned flags = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) flags |= dk_boolean_field(L, index, rows[i].name) ? rows[i].flag : 0;
  return flags;
}

static void read_request (lua_State *L, int index, dk_request_table *t) {
  dk_request *r = &t->request;
  r->method = dk_text_field(L, index, "method", NULL);
  r->url = dk_text_field(L, index, "url", NULL);
  if (r->method == NULL || r->url == NULL) luaL_error(L, "a request needs a method and a url");
  r->ca_file = dk_text_field(L, index, "ca_file", NULL);
  r->proxy = dk_text_field(L, index, "proxy", NULL);
  r->save_as = dk_text_field(L, index, "save_as", NULL);
  r->connect = dk_number_field(L, index, "connect", 0);
  r->idle = dk_number_field(L, index, "idle", 0);
  r->total = dk_number_field(L, index, "total", 0);
  r->max_answer = (size_t)dk_number_field(L, index, "max_answer", 16 * 1024 * 1024);
  r->flags = read_flags(L, index);
  lua_getfield(L, index, "headers");
  t->headers = luaL_checkudata(L, -1, DK_HEADERS);
  lua_pop(L, 1);
  t->json = dk_text_field(L, index, "json", &t->json_length);
  if (t->json != NULL) read_slots(L, index, t);
  else read_form(L, index, t);
}

/* request(table) -> request, to be submitted as often as wanted; the table must not change afterwards */
int dk_new_request (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  dk_request_table *t = lua_newuserdata(L, sizeof *t);
  *t = (dk_request_table){0};
  luaL_setmetatable(L, DK_REQUEST);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_getfield(L, 1, "headers");                     /* what the table may only inherit is held by itself */
  lua_rawseti(L, -2, 2);
  lua_setuservalue(L, -2);
  read_request(L, 1, t);
  return 1;
}

const dk_request_table *dk_check_request (lua_State *L, int arg, const void *type) {
  bool same = lua_getmetatable(L, arg) && lua_topointer(L, -1) == type;
  return same ? lua_touserdata(L, arg) : luaL_checkudata(L, arg, DK_REQUEST);
}

void dk_open_request (lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  dk_register(L, DK_REQUEST, none, none);
}

static dk_status build_lines (const dk_request_table *t, const dk_secrets *secrets, dk_buffer *lines, dk_failure *failure) {
  dk_status status = DK_OK;
  for (size_t i = 0; i < t->headers->count && status == DK_OK; i++) status = dk_secrets_line(secrets, t->headers->line[i], lines, failure);
  return status;
}

static dk_status build_json (const dk_request_table *t, const dk_secrets *secrets, dk_buffer *body, dk_failure *failure) {
  dk_status status = dk_buffer_add(body, t->json, t->json_length);
  if (status != DK_OK) return dk_fail(failure, status, status == DK_NO_MEMORY ? "no memory" : "the body is too long");
  for (int i = 0; i < t->slot_count && status == DK_OK; i++) status = dk_secrets_field(secrets, t->slots[i], body, failure);
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
  dk_status status = build_lines(t, secrets, &r->lines, failure);
  r->has_body = t->json != NULL;
  if (status == DK_OK && t->json != NULL) status = build_json(t, secrets, &r->body, failure);
  if (status != DK_OK || t->part == NULL) return status;
  r->form = dk_form_new();
  if (r->form == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  return build_form(t, r->form, failure);
}

dk_xfer *dk_build_transfer (const dk_request_table *t, const dk_secrets *secrets, dk_failure *failure) {
  enum { MOST_BODY = 16 * 1024 * 1024, MOST_LOGIN = 4096 };    /* bytes; of JSON the API refuses more */
  dk_request request = t->request;
  dk_xfer *x = NULL;
  dk_buffer login;
  dk_buffer_init(&request.lines, DK_MAX_HEAD);
  dk_buffer_init(&request.body, MOST_BODY);
  dk_buffer_init(&login, MOST_LOGIN);
  dk_status status = request.proxy ? dk_secrets_line(secrets, "?{proxy_login}", &login, failure) : DK_OK;
  if (status == DK_OK) status = build_parts(t, secrets, &request, failure);
  request.proxy_login = login.length > 0 ? login.bytes : NULL;
  if (status == DK_OK) {
    x = dk_xfer_new(&request, failure);
  } else {
    dk_buffer_reset(&request.lines);
    dk_buffer_reset(&request.body);
    dk_form_free(request.form);
  }
  dk_buffer_reset(&login);
  return x;
}
