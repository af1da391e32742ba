/* terminal_lua.c - the functions of core for a command-line program: terminal, standard files, stop signals. */
#include <limits.h>
#include <stdlib.h>

#include "binding.h"
#include "system/program.h"
#include "system/terminal.h"

enum { MAX_LINE = 8192 };        /* bytes; an access token has 2 KB */

/* terminal(fd) -> columns, rows; nil: not a terminal */
int dk_lua_terminal (lua_State *L) {
  int fd = (int)dk_check_number(L, 1, INT_MIN, INT_MAX);
  int columns = dk_terminal_columns(fd);
  if (columns == 0) return 0;
  lua_pushinteger(L, columns);
  lua_pushinteger(L, dk_terminal_rows(fd));
  return 2;
}

/* writes(fd) -> whether the descriptor is open for writing */
int dk_lua_writes (lua_State *L) {
  lua_pushboolean(L, dk_terminal_is_writable((int)dk_check_number(L, 1, INT_MIN, INT_MAX)));
  return 1;
}

/* ask(prompt, shown) -> the line; false: the input ended, or a signal came; nil, status, text */
int dk_lua_ask (lua_State *L) {
  const char *prompt = dk_check_text(L, 1);
  bool given, shown = lua_toboolean(L, 2);
  dk_buffer *line = dk_new_buffer(L, MAX_LINE);
  dk_failure failure;
  if (dk_terminal_read_line(prompt, shown, line, &given, &failure) != DK_OK) return dk_push_failure(L, &failure);
  if (given) lua_pushlstring(L, line->length > 0 ? line->bytes : "", line->length);
  else lua_pushboolean(L, false);
  dk_buffer_reset(line);
  return 1;
}

/* pause(seconds): sleeps; a signal ends the sleep */
int dk_lua_pause (lua_State *L) {
  dk_terminal_sleep(dk_check_number(L, 1, 0, INT_MAX / 1000));
  return 0;
}

/* prepare(json): see dk_program_prepare */
int dk_lua_prepare (lua_State *L) {
  dk_program_prepare(lua_toboolean(L, 1));
  return 0;
}

/* utf8(word) -> the word of the command line in UTF-8 */
int dk_lua_utf8 (lua_State *L) {
  char *text = dk_program_utf8(dk_check_text(L, 1));
  if (text == NULL) return luaL_error(L, "no memory");
  lua_pushstring(L, text);
  free(text);
  return 1;
}

/* catch_stops(): see dk_program_raise_stops */
int dk_lua_catch_stops (lua_State *L) {
  (void)L;
  dk_program_raise_stops();
  return 0;
}

/* note_stops(): see dk_program_record_stops */
int dk_lua_note_stops (lua_State *L) {
  (void)L;
  dk_program_record_stops();
  return 0;
}

/* stopped() -> the number of the signal that came; nil: none */
int dk_lua_stopped (lua_State *L) {
  int number = dk_program_stop_signal();
  if (number == 0) return 0;
  lua_pushinteger(L, number);
  return 1;
}
