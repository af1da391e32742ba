/* frames.c - a game's frame loop with Lua 5.4: measures what devkit4ai.update takes in each frame.
 *
 *   frames paced|free SCRIPT ARGUMENT...
 *
 * SCRIPT is a file like bench/frames.lua. It returns two functions: prepare() runs first in each frame, and is not measured; it
 * returns false after the last one. update() is measured. paced: at 60 frames per second; free: without a pause.
 * Prints what frame_times.h says, and the allocations in all measured updates: those of Lua's state, and calls of malloc by the
 * thread of the frames. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <string.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "frame_times.h"

static _Thread_local long mallocs;
static long lua_allocations;

void *__libc_malloc (size_t size);
void *malloc (size_t size) {
  mallocs++;
  return __libc_malloc(size);
}

static void *allocate (void *state, void *block, size_t old_size, size_t size) {
  (void)state;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (block == NULL || size > old_size) lua_allocations++;
  return realloc(block, size);
}

static void check (lua_State *L, int status) {
  if (status == LUA_OK) return;
  fprintf(stderr, "frames: %s\n", lua_tostring(L, -1));
  exit(1);
}

static bool prepare (lua_State *L) {
  lua_pushvalue(L, 1);
  check(L, lua_pcall(L, 0, 1, 0));
  bool goes_on = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return goes_on;
}

static void update (lua_State *L) {
  lua_pushvalue(L, 2);
  check(L, lua_pcall(L, 0, 0, 0));
}

static lua_State *open_script (int argc, char **argv) {
  lua_State *L = lua_newstate(allocate, NULL);
  luaL_openlibs(L);
  lua_newtable(L);
  for (int i = 2; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 2);
  }
  lua_setglobal(L, "arg");
  check(L, luaL_loadfile(L, argv[2]));
  check(L, lua_pcall(L, 0, 2, 0));
  return L;
}

int main (int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: see the first comment of bench/engines/frames.c\n");
    return 2;
  }
  bool paced = strcmp(argv[1], "paced") == 0;
  lua_State *L = open_script(argc, argv);
  frame_times times = {0};
  long in_lua = 0, in_c = 0;
  for (;;) {
    if (paced) wait_for_next_frame(&times);
    if (!prepare(L)) break;
    begin_frame(&times);
    long lua_before = lua_allocations, c_before = mallocs;
    update(L);
    in_lua += lua_allocations - lua_before;
    in_c += mallocs - c_before;
    end_frame(&times);
  }
  print_frames(&times);
  printf(" %ld %ld\n", in_lua, in_c);
  lua_close(L);
  return 0;
}
