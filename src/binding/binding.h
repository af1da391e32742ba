/* binding.h - what the files of src/binding show each other. */
#ifndef DK_BINDING_H
#define DK_BINDING_H

#include <stdbool.h>

#include "compat.h"
#include "secrets/secrets.h"

/* Kinds of userdata; each has its own metatable. */
typedef enum { DK_ENGINE, DK_SECRETS, DK_HEADERS, DK_REQUEST, DK_LOCK, DK_BYTES, DK_KINDS } dk_kind;

/* Templates of header lines, compiled once: what core.headers gives. */
typedef struct {
  size_t count;
  const char *line[];            /* into the same block */
} dk_headers;

/* Rules for every function that Lua calls:
 * 1. A Lua allocation may run a finalizer, and a Lua call may run a hook or a metamethod. Each of these may close any object.
 *    So a function reads its arguments and allocates first. It reads a pointer out of a userdata last.
 * 2. A pointer into a Lua string is valid while the string is on the function's own stack, or while a userdata anchors it. */

/* Makes the metatable of a kind, with methods (its __index) and metamethods; the metatable is upvalue 1 of each function.
 * It belongs to this copy of the module: another copy in the same state has its own. Leaves nothing on the stack. */
void dk_register (lua_State *L, dk_kind kind, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* Pushes the metatable of a kind. */
void dk_push_metatable (lua_State *L, dk_kind kind);

/* Pushes a new userdata of a kind, filled with zeros. */
void *dk_new_userdata (lua_State *L, dk_kind kind, size_t size);

/* The userdata at index if its metatable is type, else NULL. */
void *dk_test_userdata (lua_State *L, int index, const void *type);

/* Argument 1 of a method or metamethod; raises if it is not a userdata of the kind. */
void *dk_check_self (lua_State *L, dk_kind kind);

/* Raises for argument arg: "NAME expected, got TYPE". */
int dk_type_error (lua_State *L, int arg, dk_kind kind);

/* A string argument without a NUL in it. */
const char *dk_check_text (lua_State *L, int arg);

/* A number argument within bounds; raises for NaN too. */
double dk_check_number (lua_State *L, int arg, double least, double most);

/* A buffer in a new userdata, which is left on the stack and frees it. */
dk_buffer *dk_new_bytes (lua_State *L, size_t cap);

/* One door from failure to Lua: nil, the status's name, the text. Returns 3. */
int dk_push_failure (lua_State *L, const dk_failure *failure);

/* The set behind core.secrets' userdata at arg, whose metatable is type; raises for anything else, and where it is closed. */
dk_secrets *dk_check_secrets (lua_State *L, int arg, const void *type);

/* Constructors of the module, and the registration of their types. */
int dk_new_engine (lua_State *L);
int dk_new_secrets (lua_State *L);
int dk_new_headers (lua_State *L);
int dk_new_request (lua_State *L);
int dk_load_file (lua_State *L);
int dk_save_file (lua_State *L);
int dk_file_target (lua_State *L);
int dk_check_save (lua_State *L);
int dk_check_picture (lua_State *L);
int dk_new_lock (lua_State *L);
int dk_terminal_of (lua_State *L);
int dk_terminal_writes_of (lua_State *L);
int dk_ask_line (lua_State *L);
int dk_pause (lua_State *L);
int dk_prepare_program (lua_State *L);
int dk_catch_stops (lua_State *L);
int dk_note_stops (lua_State *L);
int dk_stop_signal (lua_State *L);
void dk_open_engine (lua_State *L);
void dk_open_files (lua_State *L);
void dk_open_request (lua_State *L);
void dk_open_secrets (lua_State *L);

/* What require calls; the one symbol that shows. */
__attribute__((visibility("default"))) int luaopen_devkit4ai_core (lua_State *L);

#endif
