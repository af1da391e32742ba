/* file_lua.c - core.load, core.save, core.target, core.check_save and core.lock, for a session store in a file;
 * core.make_folder, for the command's settings and for results; core.check_picture, core.check_image and core.list, for a check
 * before a payment. */
#include <limits.h>
#include <string.h>

#include "binding.h"
#include "file/download.h"
#include "file/file_lock.h"
#include "file/private_file.h"
#include "os/file.h"
#include "transfer/form.h"

enum {
  MAX_FILE = 16 * 1024 * 1024,          /* bytes; a session's record has 1 KB */
  MAX_NAMES = 256 * 1024 * 1024         /* bytes of the names in a folder, which has up to some million files */
};

static int bytes_gc (lua_State *L) {
  dk_buffer_reset((dk_buffer *)dk_check_self(L, DK_TYPE_BUFFER));
  return 0;
}

/* load(path) -> bytes; false: there is no file; nil, status, text */
int dk_lua_load (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_buffer *bytes = dk_new_buffer(L, MAX_FILE);
  bool exists;
  dk_failure failure;
  if (dk_private_file_read(path, bytes, &exists, &failure) != DK_OK) return dk_push_failure(L, &failure);
  if (exists) lua_pushlstring(L, bytes->length > 0 ? bytes->bytes : "", bytes->length);
  else lua_pushboolean(L, false);
  dk_buffer_reset(bytes);
  return 1;
}

/* save(path, bytes) -> true; nil, status, text: the old bytes stay */
int dk_lua_save (lua_State *L) {
  size_t length;
  const char *path = dk_check_text(L, 1), *bytes = luaL_checklstring(L, 2, &length);
  dk_failure failure;
  if (dk_private_file_write(path, bytes, length, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* target(path) -> the path that load and save use, with all links resolved; nil, status, text */
int dk_lua_target (lua_State *L) {
  char target[DK_MAX_PATH];
  dk_failure failure;
  if (dk_private_file_resolve(dk_check_text(L, 1), target, &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushstring(L, target);
  return 1;
}

/* check_save(path) -> true: save can write a small file at path; nil, status, text */
int dk_lua_check_save (lua_State *L) {
  dk_failure failure;
  if (dk_private_file_check(dk_check_text(L, 1), &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* make_folder(path, is_private) -> true: it is there; is_private: readable by its owner alone if it was made; nil, status, text */
int dk_lua_make_folder (lua_State *L) {
  dk_failure failure;
  if (dk_folder_make(dk_check_text(L, 1), lua_toboolean(L, 2), &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* exists(path) -> whether something has the name, also a symbolic link that leads to nothing */
int dk_lua_exists (lua_State *L) {
  dk_file_info info;
  lua_pushboolean(L, dk_file_look(dk_check_text(L, 1), &info) == 0);
  return 1;
}

/* check_picture(path, overwrite) -> true: an image can be saved at path; nil, status, text */
int dk_lua_check_picture (lua_State *L) {
  dk_failure failure;
  if (dk_download_check(dk_check_text(L, 1), lua_toboolean(L, 2), &failure) != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

/* check_image(path, max_bytes) -> true: the file is an image that can be uploaded; nil, status, text */
int dk_lua_check_image (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  size_t max_bytes = (size_t)dk_check_number(L, 2, 1, INT_MAX);
  dk_failure failure;
  dk_form *form = dk_form_new();
  if (form == NULL) return luaL_error(L, "not enough memory");
  dk_status status = dk_form_add_file(form, "image", path, max_bytes, &failure);
  dk_form_free(form);
  if (status != DK_OK) return dk_push_failure(L, &failure);
  lua_pushboolean(L, true);
  return 1;
}

static bool add_name (void *arg, const char *name) { return dk_buffer_add((dk_buffer *)arg, name, strlen(name) + 1) == DK_OK; }

/* list(path) -> the names in a folder, in no order; nil, status, text */
int dk_lua_list (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_buffer *names = dk_new_buffer(L, MAX_NAMES);
  dk_failure failure;
  int reason = dk_folder_list(path, add_name, names);
  if (reason != 0) {
    (void)dk_fail_errno(&failure, path, reason);
    return dk_push_failure(L, &failure);
  }
  lua_newtable(L);
  size_t at = 0;
  for (int i = 1; at < names->length; i++) {
    lua_pushstring(L, names->bytes + at);
    at += strlen(names->bytes + at) + 1;
    lua_rawseti(L, -2, i);
  }
  dk_buffer_reset(names);
  return 1;
}

/* lock(path) -> lock; false: another owner holds it; nil, status, text. It never waits. */
int dk_lua_lock (lua_State *L) {
  const char *path = dk_check_text(L, 1);
  dk_file_lock *lock = (dk_file_lock *)dk_new_userdata(L, DK_TYPE_LOCK, sizeof *lock);
  dk_file_lock_init(lock);            /* now: zeros would mean descriptor 0 */
  bool locked;
  dk_failure failure;
  if (dk_file_lock_try(lock, path, &locked, &failure) != DK_OK) return dk_push_failure(L, &failure);
  if (!locked) lua_pushboolean(L, false);
  return 1;
}

/* release(), __gc: a second call changes nothing */
static int lock_release (lua_State *L) {
  dk_file_lock_release((dk_file_lock *)dk_check_self(L, DK_TYPE_LOCK));
  return 0;
}

void dk_open_files (lua_State *L) {
  static const luaL_Reg methods[] = {{"release", lock_release}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", lock_release}, {"__close", lock_release}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg bytes_meta[] = {{"__gc", bytes_gc}, {NULL, NULL}};
  dk_register_type(L, DK_TYPE_LOCK, methods, meta);
  dk_register_type(L, DK_TYPE_BUFFER, none, bytes_meta);
}
