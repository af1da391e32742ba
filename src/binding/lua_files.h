/* lua_files.h - the client's Lua files that are compiled in. */
#ifndef DK_LUA_FILES_H
#define DK_LUA_FILES_H

typedef struct {
  const char *module;            /* as require names it; NULL: the end of the list */
  const char *chunk;             /* its name in messages; = and the path below lua/, as the client finds its own functions by it */
  const char *const *pieces;     /* of its text; the last one is NULL */
} dk_lua_file;

/* The list; static. */
const dk_lua_file *dk_lua_files (void);

#endif
