/* memory.c - memory SCRIPT [ARGUMENT...]: opens devkit4ai and runs the script in a state whose n-th allocation fails, and all after
 * it, for larger and larger n until the script ends well. It may end with any error before. It may not crash, leave memory of the
 * state, or leave a descriptor. When there is memory again, the script ends well in the same state. */
#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "devkit4ai.h"

enum { EACH = 500, LAST = 600 };  /* allocations: the first ones, devkit4ai_open's, which all fail in turn; the last ones, the tasks' */

typedef struct {
  long left;                     /* allocations until one fails; negative: no limit, and it counts down */
  long used;                     /* allocations of the last call */
  long live;                     /* blocks: after a failure, LuaJIT gives a wrong old_size */
} allocator;

static void *allocate (void *state, void *block, size_t old_size, size_t size) {
  allocator *a = (allocator *)state;
  size_t old = block != NULL ? old_size : 0;
  if (size > old && a->left == 0) return NULL;        /* Lua relies on shrinking */
  if (size > old) a->left--;
  a->live += (size > 0) - (block != NULL);
  if (size > 0) return realloc(block, size);
  free(block);
  return NULL;
}

static int open_descriptors (void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) abort();
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static int open_and_run (lua_State *L) {
  char **arguments = (char **)lua_touserdata(L, 2);
  int count = 0;
  devkit4ai_open(L);
  lua_pushvalue(L, 1);
  for (; arguments[2 + count] != NULL; count++) lua_pushstring(L, arguments[2 + count]);
  lua_call(L, count, 0);
  return 0;
}

/* opens devkit4ai and runs the script, with so many allocations. The script is loaded before: LuaJIT leaves a file open if it finds no
 * memory while it loads one */
static int call (lua_State *L, allocator *a, char **arguments, long limit) {
  lua_pushcfunction(L, open_and_run);
  if (luaL_loadfile(L, arguments[1]) != 0) return 1;
  lua_pushlightuserdata(L, arguments);
  a->left = limit;
  int failed = lua_pcall(L, 2, 0, 0);
  a->used = limit - a->left;
  a->left = -1;
  return failed;
}

/* runs it once, and once more after a lack of memory; 0: it ended well. Whatever it left ends the program. used: its allocations */
static int run (char **arguments, long limit, long *used) {
  allocator a = {-1, 0, 0};
  int before = open_descriptors();
  lua_State *L = lua_newstate(allocate, &a);
  luaL_openlibs(L);
  if (luaL_dostring(L, "require 'cjson'")) return 1;  /* another module's loader: without memory, LuaJIT never loads it again */
  int failed = call(L, &a, arguments, limit);
  *used = a.used;
  if (failed && limit < 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  if (failed && limit >= EACH && call(L, &a, arguments, -1) != 0) {
    fprintf(stderr, "after %ld allocations: %s\n", limit, lua_tostring(L, -1));
    exit(1);
  }
  lua_close(L);
  if (a.live == 0 && open_descriptors() == before) return failed;
  fprintf(stderr, "with %ld allocations: %ld blocks and %d descriptors are left\n", limit, a.live, open_descriptors() - before);
  exit(1);
}

int main (int count, char **arguments) {
  long limit = 0, runs = 0, all, used;
  (void)count;
  alarm(300);                    /* for a task that never ends */
  if (run(arguments, -1, &all) != 0) return 1;
  for (; run(arguments, limit, &used) != 0; runs++)
    limit += limit < EACH ? 1 : limit < all - LAST ? limit / 16 : LAST / 30;
  printf("%ld failures of %ld\n", runs, all);
  return runs < EACH;
}
