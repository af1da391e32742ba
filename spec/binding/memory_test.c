/* memory_test.c - runs Lua files with every allocation of their Lua state failing in turn (Lua 5.4).
 *
 *   memory_test CPATH FILE...
 *
 * CPATH becomes package.cpath. A file is one test: it is a chunk that requires devkit4ai.core itself, uses it, and raises
 * when something is wrong. It runs in a fresh state for each n = 1, 2, ... until it no longer reaches the n-th allocation;
 * first with all allocations from the n-th on failing, then with the n-th alone. Under a failure a chunk may end with any
 * error; it may not crash, leave a descriptor open, or leave memory of its state behind. The last run must succeed. */
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
  bool retrying;  /* the last one failed: Lua collects its garbage and asks once more */
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

/* One run. Says what is wrong, if something is, and where. *reached: the n-th allocation was asked for. */
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
    bool reached; /* a first run opens what stays open for the whole process, as a resolver's */
    bool right = run(argv[1], argv[i], FROM_N_ON, 1000000000, &reached);
    right = right && sweep(argv[1], argv[i], FROM_N_ON) && sweep(argv[1], argv[i], N_ALONE);
    if (!right) failed++;
    printf("%s %s\n", right ? "ok    " : "FAILED", argv[i]);
    fflush(stdout);
  }
  printf("%d passed, %d failed\n", argc - 2 - failed, failed);
  return failed > 0;
}
