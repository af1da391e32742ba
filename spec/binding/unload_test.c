/* unload_test.c - a host closes its Lua state, which unloads the module, while a thread of libcurl looks up a name.
 *
 *   unload_test CPATH
 *
 * The library must stay, because the thread returns into it. This program's own getaddrinfo replaces the lookup. */
#define _GNU_SOURCE              /* struct addrinfo */
#include <dirent.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "../core/support/check.h"

static const char *cpath;
static sem_t begun, released;

__attribute__((visibility("default")))
int getaddrinfo (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer) {
  (void)name, (void)service, (void)hints, (void)answer;
  sem_post(&begun);
  sem_wait(&released);
  sem_post(&released);           /* libcurl 8.20 and newer look up IPv4 and IPv6 in two threads */
  return EAI_NONAME;
}

static int threads (void) {
  int count = -2;                /* "." and ".." */
  DIR *folder = opendir("/proc/self/task");
  if (!folder) abort();
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

static void pause_a_moment (void) { nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

static void stays_while_a_name_is_looked_up (void) {
  int before = threads();        /* qemu has one of its own */
  lua_State *L = luaL_newstate();
  if (!L) abort();
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_pushstring(L, cpath);
  lua_setfield(L, -2, "cpath");
  bool sent = luaL_dostring(L,
    "local core = require 'devkit4ai.core'\n"
    "engine = core.engine()\n"
    "local request = core.request { method = 'GET', url = 'http://slow.test:1/', headers = core.headers {} }\n"
    "assert(engine:submit(request, core.secrets()))") == LUA_OK;
  if (!CHECK(sent)) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  while (sent && sem_trywait(&begun) != 0) CHECK(luaL_dostring(L, "engine:next(0.01)") == LUA_OK);
  CHECK(threads() > before);
  lua_close(L);
  sem_post(&released);
  while (threads() > before) pause_a_moment();
}

int main (int argc, char **argv) {
  static const check_test tests[] = {{"the library stays while a name is looked up", stays_while_a_name_is_looked_up}};
  if (argc != 2) {
    fputs("usage: unload_test CPATH\n", stderr);
    return 2;
  }
  cpath = argv[1];
  sem_init(&begun, 0, 0);
  sem_init(&released, 0, 0);
  return CHECK_RUN(tests);
}
