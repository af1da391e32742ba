/* binding.h - what the files of src/binding show each other. */
#ifndef DK_BINDING_H
#define DK_BINDING_H

#include <stdbool.h>

#include "compat.h"
#include "secrets.h"

#define DK_ENGINE "devkit4ai.engine"
#define DK_SECRETS "devkit4ai.secrets"
#define DK_HEADERS "devkit4ai.headers"
#define DK_REQUEST "devkit4ai.request"
#define DK_LOCK "devkit4ai.lock"
#define DK_BYTES "devkit4ai.bytes"

/* Templates of header lines, compiled once: what core.headers gives. */
typedef struct {
  size_t count;
  const char *line[];            /* into the same block */
} dk_headers;

/* Makes a metatable of that name with methods (its __index) and metamethods, each with the metatable as its upvalue; leaves
 * nothing on the stack. */
void dk_register (lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* The first argument of such a method; raises where it is not of the type. A quarter of luaL_checkudata's instructions. */
void *dk_check_self (lua_State *L, const char *name);

/* One door from failure to Lua: nil, the status's name, the text. Returns 3. */
int dk_push_failure (lua_State *L, const dk_failure *failure);

/* The set behind core.secrets' userdata at arg, whose metatable is type (NULL: look it up); raises for anything else, and
 * where it is closed. */
dk_secrets *dk_check_secrets (lua_State *L, int arg, const void *type);

/* Constructors of the module, and the registration of their types. */
int dk_new_engine (lua_State *L);
int dk_new_secrets (lua_State *L);
int dk_new_headers (lua_State *L);
int dk_new_request (lua_State *L);
int dk_load_file (lua_State *L);
int dk_save_file (lua_State *L);
int dk_new_lock (lua_State *L);
int dk_terminal_of (lua_State *L);
int dk_ask_line (lua_State *L);
int dk_pause (lua_State *L);
int dk_prepare_program (lua_State *L);
int dk_catch_stops (lua_State *L);
void dk_open_engine (lua_State *L);
void dk_open_files (lua_State *L);
void dk_open_request (lua_State *L);
void dk_open_secrets (lua_State *L);

/* A field of the table at index. Absent: NULL or otherwise. A wrong type raises: such a table is made by our own Lua. */
const char *dk_text_field (lua_State *L, int index, const char *name, size_t *length);
double dk_number_field (lua_State *L, int index, const char *name, double otherwise);
bool dk_boolean_field (lua_State *L, int index, const char *name);

/* What require calls; the one symbol that shows. */
__attribute__((visibility("default"))) int luaopen_devkit4ai_core (lua_State *L);

#endif
