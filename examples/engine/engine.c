/* A game engine without a window: a frame loop, an allocator with a limit, and hot reload of the game's Lua. In the tree's folder:
 *
 *   make amalgamation
 *   cc -o engine -Ibuild/amalgamation $(pkg-config --cflags lua5.4) examples/engine/engine.c build/amalgamation/devkit4ai.c \
 *     $(pkg-config --libs lua5.4) -lcurl -lpthread
 *   ./engine examples/engine/game.lua
 *
 * Each line of the input is a prompt. Save game.lua while the engine runs, and the engine loads it again. Ctrl-C ends the engine at once.
 * After the end of the input, it ends when the game has nothing left to do. lua-cjson is loaded from package.cpath.
 */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lualib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "devkit4ai.h"

enum { FRAME = 16666667, LIMIT = 64 << 20 };  /* nanoseconds: 60 frames a second; bytes of Lua's memory */

struct engine {
  lua_State *L;                               /* NULL: the game's Lua is not loaded */
  size_t bytes;                               /* of Lua's memory */
  int blocks;                                 /* of Lua's memory */
  const char *path;                           /* of game.lua */
  struct timespec saved;                      /* when that file was saved */
  char input[512];
  ssize_t input_size;                         /* bytes of the player's input in this frame */
  int is_busy;                                /* the game has something left to do */
};

static volatile sig_atomic_t is_stopped;
static void stop (int number) { is_stopped = number; }

/* Lua's allocator (lua_Alloc). Beyond the limit it returns NULL: Lua collects garbage, and then raises "not enough memory". */
static void *allocate (void *context, void *block, size_t old_size, size_t new_size) {
  struct engine *engine = context;
  if (block == NULL) old_size = 0;            /* for a new block, old_size is the type of its object */
  size_t bytes = engine->bytes - old_size + new_size;
  if (new_size > old_size && bytes > LIMIT) return NULL;
  void *moved = new_size == 0 ? (free(block), NULL) : realloc(block, new_size);
  if (moved == NULL && new_size > 0) return NULL;
  engine->bytes = bytes;
  engine->blocks += (moved != NULL) - (block != NULL);
  return moved;
}

static int add_traceback (lua_State *L) {
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

/* Calls fn(engine). All that may raise an error is called here, also what opens the libraries: elsewhere, a lack of memory would
 * end the program. After an error the engine runs without the game, until its file is saved again. */
static void run_protected (struct engine *engine, lua_CFunction fn) {
  lua_settop(engine->L, 0);
  lua_pushcfunction(engine->L, add_traceback);
  lua_pushcfunction(engine->L, fn);
  lua_pushlightuserdata(engine->L, engine);
  if (lua_pcall(engine->L, 1, 0, 1) == LUA_OK) return;
  fprintf(stderr, "engine: %s\n", lua_tostring(engine->L, -1));
  lua_close(engine->L);
  engine->L = NULL;
}

static int load_game (lua_State *L) {
  struct engine *engine = lua_touserdata(L, 1);
  luaL_openlibs(L);
  devkit4ai_open(L);
  if (luaL_loadfile(L, engine->path) != LUA_OK) return lua_error(L);
  lua_call(L, 0, 1);                          /* it returns the table of its functions */
  lua_setfield(L, LUA_REGISTRYINDEX, "game");
  return 0;
}

static int run_frame (lua_State *L) {
  struct engine *engine = lua_touserdata(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, "game");
  lua_getfield(L, 2, "frame");
  lua_pushlstring(L, engine->input, (size_t)engine->input_size);
  lua_call(L, 1, 1);
  engine->is_busy = lua_toboolean(L, -1);
  return 0;
}

/* Loads the game again if its file was saved. lua_close ends the uploads in progress; the game finds their generations again. */
static void reload_if_saved (struct engine *engine) {
  struct stat file;
  if (stat(engine->path, &file) != 0) return; /* an editor may be about to replace it */
  if (file.st_mtim.tv_sec == engine->saved.tv_sec && file.st_mtim.tv_nsec == engine->saved.tv_nsec) return;
  engine->saved = file.st_mtim;
  if (engine->L != NULL) lua_close(engine->L);
  printf("engine: Lua has %zu bytes in %d blocks; loading %s\n", engine->bytes, engine->blocks, engine->path);
#if LUA_VERSION_NUM >= 505
  engine->L = lua_newstate(allocate, engine, luaL_makeseed(NULL));
#else
  engine->L = lua_newstate(allocate, engine);
#endif
  if (engine->L != NULL) run_protected(engine, load_game);
}

int main (int argc, char **argv) {
  static struct engine engine;
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  if (argc != 2) return fprintf(stderr, "usage: engine game.lua\n"), 2;
  engine.path = argv[1];
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  setvbuf(stdout, NULL, _IOLBF, 0);           /* each line at once, also into a pipe */
  while (!is_stopped && (input.fd >= 0 || engine.is_busy)) {
    reload_if_saved(&engine);
    engine.input_size = poll(&input, 1, 0) > 0 ? read(input.fd, engine.input, sizeof engine.input) : 0;
    if (input.revents != 0 && engine.input_size <= 0) input.fd = -1, engine.input_size = 0;  /* the end: poll ignores it from now on */
    if (engine.L != NULL) run_protected(&engine, run_frame);
    nanosleep(&(struct timespec){.tv_nsec = FRAME}, NULL);  /* here a game draws, and waits for the screen */
  }
  if (engine.L != NULL) lua_close(engine.L);
  return engine.bytes == 0 ? 0 : 1;
}
