/* request_lua.h - core.request: a request table from Lua, read once, and the transfers made from it. */
#ifndef DK_REQUEST_LUA_H
#define DK_REQUEST_LUA_H

#include "binding.h"
#include "transfer/transfer.h"

enum { DK_MAX_FILES = 8, DK_MAX_FIELDS = 4, DK_MAX_SLOTS = 8 };

/* The contents of the table. All pointers are borrowed from strings that the userdata anchors. */
typedef struct {
  dk_request request;            /* without headers, body and form, which each transfer gets separately */
  const dk_headers *headers;
  const char *json;              /* the body; NULL: none; a JSON object, if there are slots */
  size_t json_length;
  const char *slots[DK_MAX_SLOTS];                    /* added to json as fields */
  int slot_count;
  const char *part;              /* the name of the form parts with files; NULL: no form */
  size_t max_bytes;              /* of a file */
  struct { const char *path, *filename, *bytes; size_t length; } files[DK_MAX_FILES];
  struct { const char *name, *text; size_t length; } fields[DK_MAX_FIELDS];
  int file_count, field_count;
} dk_request_table;

/* The request in the core.request userdata at arg; raises for anything else. */
const dk_request_table *dk_check_request (lua_State *L, int arg, const void *metatable);

/* Makes a transfer, filled from secrets; makes no Lua call. NULL: failure says why. */
dk_xfer *dk_build_transfer (const dk_request_table *table, const dk_secrets *secrets, dk_failure *failure);

#endif
