/* engine_lua.c - core.engine: submits requests, waits, and returns the finished transfers. */
#include <math.h>

#include "binding.h"
#include "engine_lua.h"
#include "request_lua.h"

#define LAST_ID 9007199254740992.0                   /* 2^53: a larger double is not exact */

typedef struct {
  dk_engine *engine;             /* owned; NULL: closed */
  dk_xfer *undelivered;          /* owned; finished transfers that Lua had no memory for; next returns them first */
  const void *request_metatable, *secrets_metatable;  /* for the arguments of submit */
} engine_userdata;

enum { PUSH_RESPONSE = 1 };      /* index of push_response in the metatable: 5.1 would make a new C function for each call */

static int push_response (lua_State *L);

static engine_userdata *check_userdata (lua_State *L) {
  engine_userdata *u = (engine_userdata *)dk_check_self(L, DK_TYPE_ENGINE);
  luaL_argcheck(L, u->engine != NULL, 1, "the engine is closed");
  return u;
}

dk_engine *dk_check_engine (lua_State *L) { return check_userdata(L)->engine; }

static const void *get_metatable (lua_State *L, dk_userdata_type type) {
  dk_push_metatable(L, type);
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  return metatable;
}

/* engine() -> engine; its user value anchors the requests that transfers borrow from */
int dk_lua_engine (lua_State *L) {
  engine_userdata *u = (engine_userdata *)dk_new_userdata(L, DK_TYPE_ENGINE, sizeof *u);
  u->request_metatable = get_metatable(L, DK_TYPE_REQUEST);
  u->secrets_metatable = get_metatable(L, DK_TYPE_SECRETS);
  lua_newtable(L);
  lua_setuservalue(L, -2);
  u->engine = dk_engine_new();
  if (u->engine == NULL) return luaL_error(L, "not enough memory");
  return 1;
}

/* close(), __gc, __close: a second call changes nothing */
static int engine_close (lua_State *L) {
  engine_userdata *u = (engine_userdata *)dk_check_self(L, DK_TYPE_ENGINE);
  if (u->engine == NULL) return 0;
  dk_engine_close(u->engine);
  dk_engine_free(u->engine);
  for (dk_xfer *x; (x = u->undelivered) != NULL; dk_xfer_free(x)) u->undelivered = x->engine.next;
  u->engine = NULL;                 /* its metatables stay: a finalizer may close it inside submit */
  return 0;
}

/* start() -> true; nil, text: from now on a thread steps the engine */
static int engine_start (lua_State *L) {
  if (dk_engine_start(dk_check_engine(L))) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushliteral(L, "no thread could be started");
  return 2;
}

/* anchor_request and push_response run in protected mode. They may fail for memory, and a finalizer in them may call the engine or
 * close it. Meanwhile the C function that called them owns the transfer, and no other code can reach it. */

/* anchor_request(engine, x, request): the engine's user value holds the request, by x's address, while x borrows its images */
static int anchor_request (lua_State *L) {
  lua_getuservalue(L, 1);
  lua_replace(L, 1);
  lua_rawset(L, 1);
  return 0;
}

static void release_request (lua_State *L, const dk_xfer *x) {
  lua_getuservalue(L, 1);
  lua_pushlightuserdata(L, (void *)x);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* nil, status, text. It never raises for memory: an earlier attempt of the same call may have an outcome. */
static int submit_failed (lua_State *L, const char *status, const char *text) {
  lua_pushnil(L);
  lua_pushstring(L, status);
  lua_pushstring(L, text);
  return 3;
}

/* calls anchor_request, which is on top of the stack; on an error it frees x, and raises the error */
static void call_anchor_request (lua_State *L, dk_xfer *x) {
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, x);
  lua_pushvalue(L, 2);
  if (lua_pcall(L, 3, 0, 0) == 0) return;
  dk_xfer_free(x);
  lua_error(L);
}

/* the engine did not take x */
static int refuse_transfer (lua_State *L, const engine_userdata *u, dk_xfer *x) {
  bool forked = u->engine != NULL && dk_engine_forked(u->engine);
  if (x->request.form != NULL) release_request(L, x);
  dk_xfer_free(x);
  check_userdata(L);
  if (forked) return submit_failed(L, "forked", DK_FORKED_TEXT);
  return submit_failed(L, "resources", DK_RESOURCES_TEXT);
}

/* submit(request, secrets, record?) -> id; nil, status, text.
 * record: a table with a field id, which becomes the id before any Lua code runs: a debug hook or Ctrl-C may raise an error right after
 * the submit, and then the caller has no result. */
static int engine_submit (lua_State *L) {
  engine_userdata *u = check_userdata(L);
  const dk_request_table *request = dk_check_request(L, 2, u->request_metatable);
  dk_failure failure;
  bool has_form = request->part != NULL, has_record = lua_istable(L, 4);
  if (has_record) lua_pushliteral(L, "id");                    /* what may raise comes before there is a transfer */
  if (has_form) lua_pushcfunction(L, anchor_request);
  dk_xfer *x = dk_build_transfer(request, dk_check_secrets(L, 3, u->secrets_metatable), &failure);
  if (x == NULL) return submit_failed(L, dk_status_name(failure.status), failure.text);
  if (has_form) call_anchor_request(L, x);
  dk_xfer_id id = u->engine != NULL ? dk_engine_submit(u->engine, x) : 0;
  if (id == 0) return refuse_transfer(L, u, x);
  lua_pushinteger(L, (lua_Integer)id);
  if (!has_record) return 1;
  lua_insert(L, -2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 4);
  return 1;
}

static void set_text (lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* { name, text, step, seconds, fate } */
static void push_failure (lua_State *L, const dk_xfer *x) {
  static const char *const fates[] = {"not_sent", "unknown", "answered"};
  lua_createtable(L, 0, 5);
  set_text(L, "name", dk_status_name(x->outcome.failure.status));
  set_text(L, "text", x->outcome.failure.text);
  set_text(L, "step", x->outcome.phase);
  set_text(L, "fate", fates[x->outcome.fate]);
  lua_pushnumber(L, x->outcome.times.total);
  lua_setfield(L, -2, "seconds");
}

static void set_time (lua_State *L, const char *name, double seconds) {
  if (!(seconds > 0)) return;
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, name);
}

static bool has_times (const dk_xfer *x) { return x->request.flags & DK_WANT_TIMES || x->outcome.times.total > 0; }

static void push_times (lua_State *L, const dk_xfer *x) {
  if (!has_times(x)) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 5);
  set_time(L, "lookup", (double)x->outcome.times.lookup);
  set_time(L, "connect", (double)x->outcome.times.connect);
  set_time(L, "tls", (double)x->outcome.times.tls);
  set_time(L, "first_byte", (double)x->outcome.times.first_byte);
  set_time(L, "total", x->outcome.times.total);
}

static void push_upload (lua_State *L, const dk_xfer *x) {
  lua_pushinteger(L, (lua_Integer)dk_atomic_load(&x->progress.counts[DK_BYTES_SENT]));
  lua_pushinteger(L, (lua_Integer)dk_atomic_load(&x->progress.counts[DK_BYTES_TO_SEND]));
}

/* how many values push_response makes */
static int count_values (const dk_xfer *x) { return x->request.form != NULL ? 9 : has_times(x) ? 7 : 6; }

static bool is_ready (const engine_userdata *u) { return u->undelivered != NULL || dk_engine_ready(u->engine); }

static dk_xfer *take_finished (engine_userdata *u) {
  dk_xfer_id id;
  dk_xfer *x = u->undelivered;
  if (x == NULL) return dk_engine_next(u->engine, &id);
  u->undelivered = x->engine.next;
  return x;
}

/* push_response(x, more) -> the results of next */
static int push_response (lua_State *L) {
  const dk_xfer *x = (const dk_xfer *)lua_touserdata(L, 1);
  lua_pushinteger(L, (lua_Integer)x->engine.id);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, (lua_Integer)x->response.status);
  lua_pushlstring(L, x->response.body.bytes ? x->response.body.bytes : "", x->response.body.length);
  if (x->response.status / 100 == 2 && !(x->request.flags & (DK_ONCE | DK_WANT_HEADERS))) lua_pushnil(L);     /* not needed: 1 % of a small GET */
  else lua_pushlstring(L, x->response.headers.bytes ? x->response.headers.bytes : "", x->response.headers.length);
  if (x->outcome.failure.status == DK_OK) lua_pushnil(L);
  else push_failure(L, x);
  if (count_values(x) == 6) return 6;
  push_times(L, x);
  if (x->request.form != NULL) push_upload(L, x);
  return count_values(x);
}

static int call_push_response (lua_State *L, dk_xfer *x, bool more, int values) {
  lua_rawgeti(L, lua_upvalueindex(1), PUSH_RESPONSE);
  lua_pushlightuserdata(L, x);
  lua_pushboolean(L, more);
  return lua_pcall(L, 2, values, 0);
}

/* Lua has no memory for the response, but the request was sent: the caller gets a failure with an outcome. False: there is no
 * response to drop. */
static bool drop_response (dk_xfer *x) {
  if (x->response.body.length + x->response.headers.length == 0) return false;
  dk_buffer_reset(&x->response.body);
  dk_buffer_reset(&x->response.headers);
  if (x->outcome.failure.status == DK_OK) dk_fail(&x->outcome.failure, DK_NO_MEMORY, "no memory for the response");
  return true;
}

/* next(seconds?) -> id, more, status, body, head, failure, times, sent, total; nothing: no transfer is finished, also after so many seconds (it
 * may return early).
 * more: another one is finished, or the alarm's time came.
 * head: the response headers; nil for a GET that succeeded, unless the request wants them.
 * failure: nil if the response is complete. times: seconds from the start until the end of lookup, connect, tls and first_byte (if
 * the request wants them), and total; a phase that was skipped is absent; no table for a 2xx response that does not want it.
 * sent, total: bytes of a form's request; absent without a form.
 * seconds: 0 or less: do not wait; math.huge: no limit */
static int engine_next (lua_State *L) {
  bool waits = !lua_isnoneornil(L, 2);
  double seconds = waits ? dk_check_number(L, 2, -HUGE_VAL, HUGE_VAL) : 0;
  engine_userdata *u = check_userdata(L);
  if (u->undelivered == NULL && waits) dk_engine_wait(u->engine, seconds);
  dk_xfer *x = take_finished(u);
  if (x == NULL) return 0;
  bool more = is_ready(u);
  int values = count_values(x), status = call_push_response(L, x, more, values);
  if (status == LUA_ERRMEM && drop_response(x)) status = call_push_response(L, x, more, values);
  if (status != 0 && u->engine != NULL) {
    x->engine.next = u->undelivered;
    u->undelivered = x;
    return lua_error(L);
  }
  if (x->request.form != NULL) release_request(L, x);
  dk_xfer_free(x);
  return status == 0 ? values : lua_error(L);
}

/* forked() -> whether the engine belongs to the parent of this forked process */
static int engine_forked (lua_State *L) {
  lua_pushboolean(L, dk_engine_forked(dk_check_engine(L)));
  return 1;
}

static int engine_ready (lua_State *L) {
  lua_pushboolean(L, is_ready(check_userdata(L)));
  return 1;
}

static dk_xfer_id check_id (lua_State *L, int arg) { return (dk_xfer_id)dk_check_number(L, arg, 0, LAST_ID); }

static int engine_cancel (lua_State *L) {
  dk_xfer_id id = check_id(L, 2);
  dk_engine_cancel(dk_check_engine(L), id);
  return 0;
}

static int engine_pending (lua_State *L) {
  lua_pushinteger(L, dk_engine_pending(dk_check_engine(L)));
  return 1;
}

/* progress(id) -> bytes sent, to send, received, to receive; nothing: the transfer is not pending */
static int engine_progress (lua_State *L) {
  uint64_t up_down[4];
  dk_xfer_id id = check_id(L, 2);
  if (!dk_engine_progress(dk_check_engine(L), id, up_down)) return 0;
  for (int i = 0; i < 4; i++) lua_pushinteger(L, (lua_Integer)up_down[i]);
  return 4;
}

void dk_open_engine (lua_State *L) {
  static const luaL_Reg methods[] = {
    {"start", engine_start}, {"forked", engine_forked}, {"submit", engine_submit}, {"cancel", engine_cancel}, {"next", engine_next},
    {"ready", engine_ready}, {"pending", engine_pending},
    {"progress", engine_progress}, {"fd", dk_lua_engine_fd}, {"listen", dk_lua_engine_listen}, {"alarm", dk_lua_engine_alarm},
    {"close", engine_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", engine_close}, {"__close", engine_close}, {NULL, NULL}};
  dk_register_type(L, DK_TYPE_ENGINE, methods, meta);
  dk_push_metatable(L, DK_TYPE_ENGINE);
  lua_pushcfunction(L, push_response);
  lua_rawseti(L, -2, PUSH_RESPONSE);
  lua_pop(L, 1);
}
