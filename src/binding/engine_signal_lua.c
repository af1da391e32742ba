/* engine_signal_lua.c - methods of core.engine for event loops: the descriptor, the listener and the alarm. */
#include <math.h>

#include "engine_lua.h"

/* nil, text */
static int push_reason (lua_State *L, const char *text) {
  lua_pushnil(L);
  lua_pushstring(L, text);
  return 2;
}

/* fd() -> descriptor, readable while ready(); nil, text. Call start() first. The engine closes it. */
int dk_lua_engine_fd (lua_State *L) {
  dk_engine *engine = dk_check_engine(L);
  int fd = dk_engine_fd(engine);
  if (fd < 0) return push_reason(L, dk_engine_forked(engine) ? DK_FORKED_TEXT : "start() was not called, or " DK_RESOURCES_TEXT);
  lua_pushinteger(L, fd);
  return 1;
}

/* listen(folder) -> path of a unix socket in a new private folder in folder; nil, text. Starts the thread. A client of the socket
 * gets a byte whenever ready() becomes true, and when it connects while ready() is true. A second call returns the same path. */
int dk_lua_engine_listen (lua_State *L) {
  const char *folder = dk_check_text(L, 2);
  dk_engine *engine = dk_check_engine(L);
  dk_failure failure;
  const char *path = dk_engine_listen(engine, folder, &failure);
  if (path == NULL) return push_reason(L, dk_engine_forked(engine) ? DK_FORKED_TEXT : failure.text);
  lua_pushstring(L, path);
  return 1;
}

/* alarm(seconds) -> true; nil, text: after the seconds ready() is true, though next may return nothing. It replaces the last
 * alarm. seconds: negative or math.huge: no alarm */
int dk_lua_engine_alarm (lua_State *L) {
  double seconds = dk_check_number(L, 2, -HUGE_VAL, HUGE_VAL);
  dk_engine *engine = dk_check_engine(L);
  if (!dk_engine_alarm(engine, seconds)) return push_reason(L, dk_engine_forked(engine) ? DK_FORKED_TEXT : DK_RESOURCES_TEXT);
  lua_pushboolean(L, 1);
  return 1;
}
