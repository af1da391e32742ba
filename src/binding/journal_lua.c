/* journal_lua.c - core.journal: a file of records; core.check_lines, core.sync_folder, core.host_name. */
#include <errno.h>
#include <limits.h>

#include "binding.h"
#include "file/record_file.h"
#include "file/record_lines.h"
#include "os/file.h"

enum { MAX_READ = 1024 * 1024 };     /* bytes of one read */
static const double max_length = 9007199254740992.0;     /* 2^53 */

/* journal(path, creates) -> journal; false: there is no file, and creates is false; nil, status, text */
int dk_lua_journal (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_file_info info;
  if (!lua_toboolean(L, 2) && dk_file_look(path, &info) == ENOENT) {
    lua_pushboolean(L, false);
    return 1;
  }
  dk_record_file *file = (dk_record_file *)dk_new_userdata(L, DK_TYPE_JOURNAL, sizeof *file);
  dk_record_file_init(file);
  dk_failure failure;
  if (dk_record_file_open(file, path, &failure) != DK_OK) return dk_push_failure(L, &failure);
  return 1;
}

static dk_record_file *check_open (lua_State *L) {
  dk_record_file *file = (dk_record_file *)dk_check_self(L, DK_TYPE_JOURNAL);
  luaL_argcheck(L, file->fd >= 0, 1, "the journal is closed");
  return file;
}

static int push_result (lua_State *L, dk_status status, const dk_failure *failure) {
  if (status != DK_OK) return dk_push_failure(L, failure);
  lua_pushboolean(L, true);
  return 1;
}

/* append(bytes) -> true: they are on the disk; nil, status, text: they are not in the file */
static int journal_append (lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  dk_failure failure;
  return push_result(L, dk_record_file_append(check_open(L), bytes, length, &failure), &failure);
}

/* read(offset, most) -> up to most bytes; "": the end; nil, status, text */
static int journal_read (lua_State *L) {
  double offset = dk_check_number(L, 2, 0, max_length);
  size_t most = (size_t)dk_check_number(L, 3, 1, MAX_READ), count;
  char *bytes = (char *)lua_newuserdata(L, most);
  dk_failure failure;
  if (dk_record_file_read(check_open(L), bytes, most, (uint64_t)offset, &count, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushlstring(L, bytes, count);
  return 1;
}

/* cut(length) -> true: what was behind the first length bytes is gone; nil, status, text */
static int journal_cut (lua_State *L) {
  double length = dk_check_number(L, 2, 0, max_length);
  dk_failure failure;
  return push_result(L, dk_record_file_cut(check_open(L), (uint64_t)length, &failure), &failure);
}

/* length() -> bytes */
static int journal_length (lua_State *L) {
  lua_pushnumber(L, (lua_Number)check_open(L)->length);
  return 1;
}

/* close(), __gc: a second call changes nothing */
static int journal_close (lua_State *L) {
  dk_record_file_close((dk_record_file *)dk_check_self(L, DK_TYPE_JOURNAL));
  return 0;
}

/* sync_folder(path) -> true: the names in the folder survive a power failure, if its file system can; nil, status, text */
int dk_lua_sync_folder (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_failure failure;
  int reason = dk_folder_sync(path);
  return push_result(L, reason == 0 ? DK_OK : dk_fail_errno(&failure, path, reason), &failure);
}

/* check_lines(text, start) -> the offset behind the last right line, whether a line follows that is not right; see record_lines.h. start:
 * an offset from 0 */
int dk_lua_check_lines (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  size_t start = (size_t)dk_check_number(L, 2, 0, (double)length);
  bool is_wrong;
  lua_pushnumber(L, (lua_Number)dk_record_lines_check(text, length, start, &is_wrong));
  lua_pushboolean(L, is_wrong);
  return 2;
}

/* host_name() -> the name of this machine, or "" */
int dk_lua_host_name (lua_State *L) {
  char name[256];
  dk_host_name(name, sizeof name);
  lua_pushstring(L, name);
  return 1;
}

void dk_open_journal (lua_State *L) {
  static const luaL_Reg methods[] = {
    {"append", journal_append}, {"read", journal_read}, {"cut", journal_cut}, {"length", journal_length}, {"close", journal_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", journal_close}, {"__close", journal_close}, {NULL, NULL}};
  dk_register_type(L, DK_TYPE_JOURNAL, methods, meta);
}
