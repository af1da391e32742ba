/* binding.h - the declarations that the files of src/binding share. */
#ifndef DK_BINDING_H
#define DK_BINDING_H

#include <stdbool.h>

#include "compat.h"
#include "secrets/secrets.h"

/* The types of userdata; each has its own metatable. */
typedef enum { DK_TYPE_ENGINE, DK_TYPE_SECRETS, DK_TYPE_HEADERS, DK_TYPE_REQUEST, DK_TYPE_LOCK, DK_TYPE_BUFFER, DK_TYPE_JOURNAL,
  DK_TYPE_TEXT_NUMBERS, DK_TYPE_JOB_STATES, DK_TYPE_COUNT } dk_userdata_type;

/* core.headers: templates of header lines (dk_secrets_fill_header). */
typedef struct {
  size_t count;
  const char *lines[];           /* in the same block */
} dk_headers;

/* Rules for every function that Lua calls:
 * 1. A Lua allocation may run a finalizer, and a Lua call may run a hook or a metamethod. Each of these may close any object.
 *    So a function first reads its arguments and allocates. It reads a pointer from a userdata last.
 * 2. A pointer into a Lua string is valid while the string is on the function's own stack, or while a userdata anchors it. */

/* Makes the metatable of a type, with methods (its __index) and metamethods; the metatable is upvalue 1 of each function.
 * It belongs to this copy of the module: another copy in the same state has its own. Leaves nothing on the stack. */
void dk_register_type (lua_State *L, dk_userdata_type type, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* Pushes the metatable of a type. */
void dk_push_metatable (lua_State *L, dk_userdata_type type);

/* Pushes a new userdata of a type, filled with zeros. */
void *dk_new_userdata (lua_State *L, dk_userdata_type type, size_t size);

/* The userdata at index, if metatable is its metatable; else NULL. */
void *dk_test_userdata (lua_State *L, int index, const void *metatable);

/* Argument 1 of a method or metamethod; raises if it is no userdata of the type. */
void *dk_check_self (lua_State *L, dk_userdata_type type);

/* Raises for argument arg: "NAME expected, got TYPE". */
int dk_type_error (lua_State *L, int arg, dk_userdata_type type);

/* A string argument without a NUL. */
const char *dk_check_text (lua_State *L, int arg);

/* A number argument from least to most; raises for NaN, too. */
double dk_check_number (lua_State *L, int arg, double least, double most);

/* Pushes a userdata with a buffer, which frees the buffer's memory. */
dk_buffer *dk_new_buffer (lua_State *L, size_t limit);

/* Pushes nil, the name of the status and the text, the result of every function that failed. Returns 3. */
int dk_push_failure (lua_State *L, const dk_failure *failure);

/* The set in the core.secrets userdata at arg; raises for anything else, and if it is closed. */
dk_secrets *dk_check_secrets (lua_State *L, int arg, const void *metatable);

/* The functions of the module, each named by its name in Lua; dk_open_*: registers their types. */
int dk_lua_engine (lua_State *L);
int dk_lua_secrets (lua_State *L);
int dk_lua_headers (lua_State *L);
int dk_lua_request (lua_State *L);
int dk_lua_load (lua_State *L);
int dk_lua_save (lua_State *L);
int dk_lua_target (lua_State *L);
int dk_lua_check_save (lua_State *L);
int dk_lua_make_folder (lua_State *L);
int dk_lua_check_picture (lua_State *L);
int dk_lua_lock (lua_State *L);
int dk_lua_list (lua_State *L);
int dk_lua_exists (lua_State *L);
int dk_lua_check_image (lua_State *L);
int dk_lua_journal (lua_State *L);
int dk_lua_sync_folder (lua_State *L);
int dk_lua_digest (lua_State *L);
int dk_lua_digest_file (lua_State *L);
int dk_lua_text_numbers (lua_State *L);
int dk_lua_check_lines (lua_State *L);
int dk_lua_job_states (lua_State *L);
int dk_lua_text_line (lua_State *L);
int dk_lua_plain_row (lua_State *L);
int dk_lua_host_name (lua_State *L);
int dk_lua_terminal (lua_State *L);
int dk_lua_writes (lua_State *L);
int dk_lua_ask (lua_State *L);
int dk_lua_pause (lua_State *L);
int dk_lua_prepare (lua_State *L);
int dk_lua_catch_stops (lua_State *L);
int dk_lua_note_stops (lua_State *L);
int dk_lua_utf8 (lua_State *L);
int dk_lua_stopped (lua_State *L);
void dk_open_digest (lua_State *L);
void dk_open_engine (lua_State *L);
void dk_open_files (lua_State *L);
void dk_open_job_states (lua_State *L);
void dk_open_journal (lua_State *L);
void dk_open_request (lua_State *L);
void dk_open_secrets (lua_State *L);

/* What require calls; the only visible symbol. */
DK_C_LINKAGE DK_VISIBLE int luaopen_devkit4ai_core (lua_State *L);

#endif
