/* terminal_lua.c - core.terminal and its relatives: what a program on a terminal needs. */
#include <limits.h>

#include "binding.h"
#include "system/terminal.h"

enum { MAX_LINE = 8192 };        /* bytes; a token has 2 KB */

/* terminal(fd) -> its columns, its rows; nil: it is no terminal */
int dk_terminal_of (lua_State *L) {
  int fd = (int)dk_check_number(L, 1, INT_MIN, INT_MAX);
  int columns = dk_terminal_columns(fd);
  if (columns == 0) return 0;
  lua_pushinteger(L, columns);
  lua_pushinteger(L, dk_terminal_rows(fd));
  return 2;
}

/* writes(fd) -> whether it is open for writing */
int dk_terminal_writes_of (lua_State *L) {
  lua_pushboolean(L, dk_terminal_writes((int)dk_check_number(L, 1, INT_MIN, INT_MAX)));
  return 1;
}

/* ask(prompt, shown) -> the line; false: the input ended, or a signal came; nil, status, text */
int dk_ask_line (lua_State *L) {
  const char *prompt = dk_check_text(L, 1);
  bool given, shown = lua_toboolean(L, 2);
  dk_buffer *line = dk_new_bytes(L, MAX_LINE);
  dk_failure failure;
  if (dk_terminal_ask(prompt, shown, line, &given, &failure) != DK_OK) return dk_push_failure(L, &failure);
  if (given) lua_pushlstring(L, line->length > 0 ? line->bytes : "", line->length);
  else lua_pushboolean(L, false);
  dk_buffer_reset(line);
  return 1;
}

/* pause(seconds): sleeps, until a signal comes */
int dk_pause (lua_State *L) {
  dk_terminal_pause(dk_check_number(L, 1, 0, INT_MAX / 1000));
  return 0;
}

/* prepare(json): for a program of its own; see dk_terminal_prepare */
int dk_prepare_program (lua_State *L) {
  dk_terminal_prepare(lua_toboolean(L, 1));
  return 0;
}

/* catch_stops(): see dk_terminal_catch_stops */
int dk_catch_stops (lua_State *L) {
  (void)L;
  dk_terminal_catch_stops();
  return 0;
}

/* note_stops(): see dk_terminal_note_stops */
int dk_note_stops (lua_State *L) {
  (void)L;
  dk_terminal_note_stops();
  return 0;
}

/* stopped() -> the number of the signal that came; nil: none */
int dk_stop_signal (lua_State *L) {
  int number = dk_terminal_stopped();
  if (number == 0) return 0;
  lua_pushinteger(L, number);
  return 1;
}
