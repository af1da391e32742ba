/* rows_lua.c - core.text_line and core.plain_row, for a table of a million lines. */
#include <string.h>

#include "binding.h"

static bool is_ascii (const char *text, size_t length) {
  unsigned char wrong = 0;
  for (size_t i = 0; i < length; i++) wrong |= (unsigned char)((unsigned char)text[i] >> 7 | (text[i] == '\0'));
  return wrong == 0;
}

/* text_line(text, position) -> the line that begins there, without its LF or CR LF, the position behind it, whether it is ASCII without
 * NULs; nil: the text has no end of it */
int dk_lua_text_line (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  size_t start = (size_t)dk_check_number(L, 2, 1, (double)length + 1) - 1;
  const char *line = text + start, *feed = (const char *)memchr(line, '\n', length - start);
  if (feed == NULL) return 0;
  size_t size = (size_t)(feed - line);
  if (size > 0 && line[size - 1] == '\r') size--;
  lua_pushlstring(L, line, size);
  lua_pushnumber(L, (lua_Number)(feed - text + 2));
  lua_pushboolean(L, is_ascii(line, size));
  return 3;
}

/* plain_row(text, separator, names) -> a table with the fields of the text by their names; nil: the text has a quote, or another number of
 * fields. separator: one character */
int dk_lua_plain_row (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length), *end = text + length, *stop;
  char separator = *luaL_checkstring(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  int count = 1, last = (int)lua_rawlen(L, 3);
  if (memchr(text, '"', length) != NULL) return 0;
  for (size_t i = 0; i < length; i++) count += text[i] == separator;
  if (count != last) return 0;
  lua_createtable(L, 0, last);
  for (int i = 1; i <= last; i++, text = stop + 1) {
    stop = i < last ? (const char *)memchr(text, separator, (size_t)(end - text)) : end;
    lua_rawgeti(L, 3, i);
    lua_pushlstring(L, text, (size_t)(stop - text));
    lua_rawset(L, -3);
  }
  return 1;
}
