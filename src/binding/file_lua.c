/* file_lua.c - core.load, core.save, core.target, core.check_save and core.lock for a store that lives in a file; core.check_picture. */
#define _POSIX_C_SOURCE 200809L  /* PATH_MAX */
#include "binding.h"
#include "file/download.h"
#include "file/file_lock.h"
#include "file/private_file.h"

enum { MAX_FILE = 16 * 1024 * 1024 };   /* bytes; a record of a session is 1 KB */

static int bytes_gc (lua_State *L) {
  dk_buffer_reset(dk_check_self(L, DK_BYTES));
  return 0;
}

/* load(path) -> bytes; false: there is no file; nil, status, text */
int dk_load_file (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_buffer *bytes = dk_new_bytes(L, MAX_FILE);
  bool exists;
  dk_failure failure;
  if (dk_private_load(path, bytes, &exists, &failure) != DK_OK) return dk_push_failure(L, &failure);
  if (exists) lua_pushlstring(L, bytes->length > 0 ? bytes->bytes : "", bytes->length);
  else lua_pushboolean(L, false);
  dk_buffer_reset(bytes);
  return 1;
}

/* save(path, bytes) -> true; nil, status, text: the old bytes stay */
int dk_save_file (lua_State *L) {
  size_t length;
  const char *path = dk_check_text(L, 1), *bytes = luaL_checklstring(L, 2, &length);
  dk_failure failure;
  if (dk_private_save(path, bytes, length, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* target(path) -> path: where load and save find the file, all links followed; nil, status, text */
int dk_file_target (lua_State *L) {
  char target[PATH_MAX];
  dk_failure failure;
  if (dk_private_target(dk_check_text(L, 1), target, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushstring(L, target);
  return 1;
}

/* check_save(path) -> true: save can write a small file there; nil, status, text */
int dk_check_save (lua_State *L) {
  dk_failure failure;
  if (dk_private_check(dk_check_text(L, 1), &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* check_picture(path, overwrite) -> true: a picture can be saved there; nil, status, text */
int dk_check_picture (lua_State *L) {
  dk_failure failure;
  if (dk_file_check(dk_check_text(L, 1), lua_toboolean(L, 2), &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* lock(path) -> lock; false: somebody else has it; nil, status, text. It never waits. */
int dk_new_lock (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_lock *lock = dk_new_userdata(L, DK_LOCK, sizeof *lock);
  dk_lock_init(lock);            /* at once: zeros would be a lock on descriptor 0 */
  bool taken;
  dk_failure failure;
  if (dk_lock_take(lock, path, &taken, &failure) != DK_OK) return dk_push_failure(L, &failure);
  if (!taken) lua_pushboolean(L, false);
  return 1;
}

/* release(), __gc: twice is once */
static int lock_release (lua_State *L) {
  dk_lock_release(dk_check_self(L, DK_LOCK));
  return 0;
}

void dk_open_files (lua_State *L) {
  static const luaL_Reg methods[] = {{"release", lock_release}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", lock_release}, {"__close", lock_release}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg bytes_meta[] = {{"__gc", bytes_gc}, {NULL, NULL}};
  dk_register(L, DK_LOCK, methods, meta);
  dk_register(L, DK_BYTES, none, bytes_meta);
}
