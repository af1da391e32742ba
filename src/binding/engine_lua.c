/* engine_lua.c - core.engine: submit a request, step or wait, take what is finished. */
#include <math.h>

#include "binding.h"
#include "engine/engine.h"
#include "request_lua.h"

#define LAST_ID 9007199254740992.0                   /* 2^53: a larger double is no exact id */

typedef struct {
  dk_engine *engine;             /* NULL: closed */
  dk_xfer *kept;                 /* the engine gave them, but Lua had no memory for them: the next to be given */
  const void *request_type, *secrets_type;            /* the metatables of what submit takes */
} box;

enum { PUSH_ANSWER = 1 };        /* the function below, by its place in the metatable: 5.1 would make one anew each time */

static int push_answer (lua_State *L);

static box *check_box (lua_State *L) {
  box *b = dk_check_self(L, DK_ENGINE);
  luaL_argcheck(L, b->engine != NULL, 1, "the engine is closed");
  return b;
}

static dk_engine *check_engine (lua_State *L) { return check_box(L)->engine; }

static const void *type_of (lua_State *L, dk_kind kind) {
  dk_push_metatable(L, kind);
  const void *type = lua_topointer(L, -1);
  lua_pop(L, 1);
  return type;
}

/* engine() -> engine; its user value keeps, by id, what transfers borrow from Lua */
int dk_new_engine (lua_State *L) {
  box *b = dk_new_userdata(L, DK_ENGINE, sizeof *b);
  b->request_type = type_of(L, DK_REQUEST);
  b->secrets_type = type_of(L, DK_SECRETS);
  lua_newtable(L);
  lua_setuservalue(L, -2);
  b->engine = dk_engine_new();
  if (b->engine == NULL) return luaL_error(L, "not enough memory");
  return 1;
}

/* close(), __gc, __close: twice is once */
static int engine_close (lua_State *L) {
  box *b = dk_check_self(L, DK_ENGINE);
  if (b->engine == NULL) return 0;
  dk_engine_close(b->engine);
  dk_engine_free(b->engine);
  for (dk_xfer *x; (x = b->kept) != NULL; dk_xfer_free(x)) b->kept = x->next;
  b->engine = NULL;                 /* its types stay: a finalizer may close it inside submit */
  return 0;
}

/* start() -> true, or nil and why: from now on a thread steps */
static int engine_start (lua_State *L) {
  if (dk_engine_start(check_engine(L))) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushliteral(L, "no thread could be started");
  return 2;
}

/* pin and push_answer run in protected mode: they may fail for memory, and the collector may run finalizers in them that
 * make calls of their own or close the engine; meanwhile the transfer is the C function's that called them, and in nobody
 * else's reach */

/* pin(engine, x, request): the engine's user value holds the request under x's address while x borrows from it (images as
 * bytes) */
static int pin (lua_State *L) {
  lua_getuservalue(L, 1);
  lua_replace(L, 1);
  lua_rawset(L, 1);
  return 0;
}

static void unpin (lua_State *L, const dk_xfer *x) {
  lua_getuservalue(L, 1);
  lua_pushlightuserdata(L, (void *)x);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* nil, status, text. It never raises for memory: an earlier sending of the same call may have an outcome. */
static int submit_failed (lua_State *L, const char *status, const char *text) {
  lua_pushnil(L);
  lua_pushstring(L, status);
  lua_pushstring(L, text);
  return 3;
}

/* submit(request, secrets) -> id, or nil, status, text */
static int engine_submit (lua_State *L) {
  box *b = check_box(L);
  const dk_request_table *request = dk_check_request(L, 2, b->request_type);
  dk_failure failure;
  bool pins = request->part != NULL;
  if (pins) lua_pushcfunction(L, pin);
  dk_xfer *x = dk_build_transfer(request, dk_check_secrets(L, 3, b->secrets_type), &failure);
  if (x == NULL) return submit_failed(L, dk_status_name(failure.status), failure.text);
  if (pins) {
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, x);
    lua_pushvalue(L, 2);
    if (lua_pcall(L, 3, 0, 0) != 0) {
      dk_xfer_free(x);
      return lua_error(L);
    }
  }
  dk_xfer_id id = b->engine != NULL ? dk_engine_submit(b->engine, x) : 0;
  if (id == 0) {
    bool forked = b->engine != NULL && dk_engine_forked(b->engine);
    if (pins) unpin(L, x);
    dk_xfer_free(x);
    check_box(L);
    if (forked) return submit_failed(L, "forked", "a call was made before the process forked, so this client is its parent's");
    return submit_failed(L, "resources", "no memory, descriptor or thread is left");
  }
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static void set_text (lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* { name, text, step, seconds, fate } */
static void push_trouble (lua_State *L, const dk_xfer *x) {
  static const char *const fates[] = {"not_sent", "unknown", "answered"};
  lua_createtable(L, 0, 5);
  set_text(L, "name", dk_status_name(x->failure.status));
  set_text(L, "text", x->failure.text);
  set_text(L, "step", x->step);
  set_text(L, "fate", fates[x->fate]);
  lua_pushnumber(L, x->took);
  lua_setfield(L, -2, "seconds");
}

static void set_time (lua_State *L, const char *name, double seconds) {
  if (!(seconds > 0)) return;
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, name);
}

static bool has_times (const dk_xfer *x) { return x->flags & DK_TIMES || x->took > 0; }

static int push_times (lua_State *L, const dk_xfer *x) {
  lua_createtable(L, 0, 5);
  set_time(L, "lookup", (double)x->times.lookup);
  set_time(L, "connect", (double)x->times.connect);
  set_time(L, "tls", (double)x->times.tls);
  set_time(L, "first_byte", (double)x->times.first_byte);
  set_time(L, "total", x->took);
  return 1;
}

static bool is_ready (const box *b) { return b->kept != NULL || dk_engine_ready(b->engine); }

static dk_xfer *take (box *b) {
  dk_xfer_id id;
  dk_xfer *x = b->kept;
  if (x == NULL) return dk_engine_next(b->engine, &id);
  b->kept = x->next;
  return x;
}

/* push_answer(x, more) -> what next gives */
static int push_answer (lua_State *L) {
  const dk_xfer *x = lua_touserdata(L, 1);
  lua_pushinteger(L, (lua_Integer)x->id);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, (lua_Integer)x->status);
  lua_pushlstring(L, x->answer.bytes ? x->answer.bytes : "", x->answer.length);
  if (x->status / 100 == 2 && !(x->flags & (DK_ONCE | DK_HEAD))) lua_pushnil(L);     /* nobody looks at it: 1 % of a small GET */
  else lua_pushlstring(L, x->head.bytes ? x->head.bytes : "", x->head.length);
  if (x->failure.status == DK_OK) lua_pushnil(L);
  else push_trouble(L, x);
  return has_times(x) ? 6 + push_times(L, x) : 6;
}

static int call_push_answer (lua_State *L, dk_xfer *x, bool more, int values) {
  lua_rawgeti(L, lua_upvalueindex(1), PUSH_ANSWER);
  lua_pushlightuserdata(L, x);
  lua_pushboolean(L, more);
  return lua_pcall(L, 2, values, 0);
}

/* Lua has no memory for the response, but the request was sent: the caller gets a failure with an outcome. False: there is
 * nothing to drop. */
static bool drop_answer (dk_xfer *x) {
  if (x->answer.length + x->head.length == 0) return false;
  dk_buffer_reset(&x->answer);
  dk_buffer_reset(&x->head);
  if (x->failure.status == DK_OK) dk_fail(&x->failure, DK_NO_MEMORY, "no memory for the response");
  return true;
}

/* next(seconds?) -> id, more, status, body, head, trouble, times; nothing: none is finished, also after waiting so long (it may
 * come back early). more: there is another; head: nil for a GET that succeeded, unless its request asked for it; trouble: nil
 * where the answer is whole; times: seconds from the start until lookup, connect, tls, first_byte (these where its request
 * asked) and total, without what there was not, as on a kept connection; none at all of a 2xx that nobody asked.
 * seconds: 0 or less: it does not wait; math.huge: no limit */
static int engine_next (lua_State *L) {
  bool waits = !lua_isnoneornil(L, 2);
  double seconds = waits ? dk_check_number(L, 2, -HUGE_VAL, HUGE_VAL) : 0;
  box *b = check_box(L);
  if (b->kept == NULL && waits) dk_engine_wait(b->engine, seconds);
  dk_xfer *x = take(b);
  if (x == NULL) return 0;
  bool more = is_ready(b);
  int values = has_times(x) ? 7 : 6, status = call_push_answer(L, x, more, values);
  if (status == LUA_ERRMEM && drop_answer(x)) status = call_push_answer(L, x, more, values);
  if (status != 0 && b->engine != NULL) {
    x->next = b->kept;
    b->kept = x;
    return lua_error(L);
  }
  if (x->form != NULL) unpin(L, x);
  dk_xfer_free(x);
  return status == 0 ? values : lua_error(L);
}

/* forked() -> whether it belongs to the process that this one was forked from */
static int engine_forked (lua_State *L) {
  lua_pushboolean(L, dk_engine_forked(check_engine(L)));
  return 1;
}

static int engine_ready (lua_State *L) {
  lua_pushboolean(L, is_ready(check_box(L)));
  return 1;
}

static dk_xfer_id check_id (lua_State *L, int arg) { return (dk_xfer_id)dk_check_number(L, arg, 0, LAST_ID); }

static int engine_cancel (lua_State *L) {
  dk_xfer_id id = check_id(L, 2);
  dk_engine_cancel(check_engine(L), id);
  return 0;
}

static int engine_pending (lua_State *L) {
  lua_pushinteger(L, dk_engine_pending(check_engine(L)));
  return 1;
}

/* progress(id) -> bytes sent, to send, received, to receive; nothing: it is over */
static int engine_progress (lua_State *L) {
  uint64_t up_down[4];
  dk_xfer_id id = check_id(L, 2);
  if (!dk_engine_progress(check_engine(L), id, up_down)) return 0;
  for (int i = 0; i < 4; i++) lua_pushinteger(L, (lua_Integer)up_down[i]);
  return 4;
}

void dk_open_engine (lua_State *L) {
  static const luaL_Reg methods[] = {
    {"start", engine_start}, {"forked", engine_forked}, {"submit", engine_submit}, {"cancel", engine_cancel}, {"next", engine_next},
    {"ready", engine_ready}, {"pending", engine_pending},
    {"progress", engine_progress}, {"close", engine_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", engine_close}, {"__close", engine_close}, {NULL, NULL}};
  dk_register(L, DK_ENGINE, methods, meta);
  dk_push_metatable(L, DK_ENGINE);
  lua_pushcfunction(L, push_answer);
  lua_rawseti(L, -2, PUSH_ANSWER);
  lua_pop(L, 1);
}
