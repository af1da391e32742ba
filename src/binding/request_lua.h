/* request_lua.h - core.request: the table that Lua made, read once; from it comes the transfer that the engine takes. */
#ifndef DK_REQUEST_LUA_H
#define DK_REQUEST_LUA_H

#include "binding.h"
#include "transfer/transfer.h"

enum { DK_MAX_FILES = 8, DK_MAX_FIELDS = 4, DK_MAX_SLOTS = 8 };

/* All that the table says. The userdata anchors each string that a pointer here points to, so nothing here needs freeing. */
typedef struct {
  dk_request request;
  const dk_headers *headers;
  const char *json;              /* NULL: none; with slots a JSON object */
  size_t json_length;
  const char *slots[DK_MAX_SLOTS];                    /* fields to add to it */
  int slot_count;
  const char *part;              /* of a form's files; NULL: no form */
  size_t max_bytes;
  struct { const char *path, *filename, *bytes; size_t length; } files[DK_MAX_FILES];
  struct { const char *name, *text; size_t length; } fields[DK_MAX_FIELDS];
  int file_count, field_count;
} dk_request_table;

/* The request behind core.request's userdata at arg, whose metatable is type; raises for anything else. */
const dk_request_table *dk_check_request (lua_State *L, int arg, const void *type);

/* Makes a transfer of it, filled from secrets; no Lua in it. NULL: failure tells. */
dk_xfer *dk_build_transfer (const dk_request_table *table, const dk_secrets *secrets, dk_failure *failure);

#endif
