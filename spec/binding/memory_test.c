/* memory_test.c - runs Lua files while each allocation of their Lua state fails in turn (Lua 5.4).
 *
 *   memory_test CPATH FILE...
 *
 * CPATH becomes package.cpath. Each file is one test: a chunk that requires devkit4ai.core, uses it, and raises an error if
 * something is wrong. It runs in a new state for each n = 1, 2, ... until it does not reach the n-th allocation: first while all
 * allocations from the n-th on fail, then while only the n-th fails. A chunk may end with any error. It may not crash, leave a
 * descriptor open, or leave memory of its state. The last run must succeed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

typedef enum { FROM_N_ON, N_ALONE } failing;

typedef struct {
  failing how;
  long n;         /* the allocation that fails; 0: none */
  long asked;     /* since the chunk began */
  bool retrying;  /* the last one failed: Lua collects garbage and tries again */
  size_t live;    /* bytes */
} allocator;

static bool fails (allocator *a) {
  if (a->n == 0) return false;
  if (a->how == N_ALONE && a->retrying) {
    a->retrying = false;
    return true;
  }
  a->asked++;
  a->retrying = a->asked == a->n;
  return a->how == FROM_N_ON ? a->asked >= a->n : a->retrying;
}

static void *allocate (void *state, void *block, size_t old_size, size_t size) {
  allocator *a = state;
  size_t old = block ? old_size : 0; /* without a block, old_size is a type */
  if (size > old && fails(a)) return NULL; /* Lua relies on shrinking */
  a->live += size - old;
  if (size > 0) {
    block = realloc(block, size);
    if (!block) abort();
    return block;
  }
  free(block);
  return NULL;
}

static int open_descriptors (void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (!folder) abort();
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

static lua_State *new_state (allocator *a, const char *cpath) {
  lua_State *L = lua_newstate(allocate, a);
  if (!L) abort();
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_pushstring(L, cpath);
  lua_setfield(L, -2, "cpath");
  lua_settop(L, 0);
  return L;
}

/* One run. Prints what is wrong, and where. *reached: the chunk requested the n-th allocation. */
static bool run (const char *cpath, const char *file, failing how, long n, bool *reached) {
  allocator a = {.how = how};
  int descriptors = open_descriptors();
  lua_State *L = new_state(&a, cpath);
  bool right = true;
  if (luaL_loadfile(L, file) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
  a.n = n;
  int status = lua_pcall(L, 0, 0, 0);
  *reached = a.asked >= n;
  a.n = 0;
  if (status != LUA_OK && !*reached) {
    fprintf(stderr, "%s: without a failure: %s\n", file, luaL_tolstring(L, -1, NULL));
    right = false;
  }
  lua_close(L);
  if (a.live != 0) {
    fprintf(stderr, "%s: allocation %ld: %zu bytes of the state are left\n", file, n, a.live);
    right = false;
  }
  if (open_descriptors() != descriptors) {
    fprintf(stderr, "%s: allocation %ld: %d descriptors, %d before\n", file, n, open_descriptors(), descriptors);
    right = false;
  }
  return right;
}

static bool sweep (const char *cpath, const char *file, failing how) {
  bool right = true, reached = true;
  for (long n = 1; right && reached; n++) right = run(cpath, file, how, n, &reached);
  return right;
}

int main (int argc, char **argv) {
  int failed = 0;
  if (argc < 3) {
    fputs("usage: memory_test CPATH FILE...\n", stderr);
    return 2;
  }
  for (int i = 2; i < argc; i++) {
    bool reached; /* the first run opens descriptors that stay open for the whole process, such as a resolver's */
    bool right = run(argv[1], argv[i], FROM_N_ON, 1000000000, &reached);
    right = right && sweep(argv[1], argv[i], FROM_N_ON) && sweep(argv[1], argv[i], N_ALONE);
    if (!right) failed++;
    printf("%s %s\n", right ? "ok    " : "FAILED", argv[i]);
    fflush(stdout);
  }
  printf("%d passed, %d failed\n", argc - 2 - failed, failed);
  return failed > 0;
}
