/* response_memory_test.c - a host whose Lua state has no memory for a response that has arrived.
 *
 *   response_memory_test CPATH
 *
 * The request was sent, so the caller must get a failure with an outcome, not Lua's "not enough memory". */
#define _GNU_SOURCE              /* for test_server.h */
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "../core/support/check.h"
#include "../core/support/test_server.h"

enum { HEAD = 60 * 1024, BODY = 200 * 1024, LARGEST = 32 * 1024 };  /* bytes; LARGEST: of a block while memory is short */

static const char *cpath;
static size_t largest = (size_t)-1;
static char long_body[BODY + 200], long_head[HEAD + 200];

static void *allocate (void *state, void *block, size_t old_size, size_t size) {
  (void)state;
  size_t old = block ? old_size : 0;
  if (size > old && size > largest) return NULL;
  if (size > 0) return realloc(block, size);
  free(block);
  return NULL;
}

static int set_short (lua_State *L) {
  largest = lua_toboolean(L, 1) ? LARGEST : (size_t)-1;
  return 0;
}

static const char chunk[] =
  "local core = require 'devkit4ai.core'\n"
  "local url, set_short = ...\n"
  "local engine, headers = core.engine(), core.headers {}\n"
  "local function wait(id, short)\n"
  "  local given, more, status, body, head, trouble\n"
  "  set_short(short)\n"
  "  repeat given, more, status, body, head, trouble = engine:next(1) until given\n"
  "  set_short(false)\n"
  "  assert(given == id and not more and engine:pending() == 0)\n"
  "  return status, body, head, trouble\n"
  "end\n"
  "for _, path in ipairs { '/body', '/head' } do\n"
  "  local request = core.request { method = 'GET', url = url .. path, headers = headers, head = true }\n"
  "  local id = assert(engine:submit(request, core.secrets()))\n"
  "  local status, body, head, trouble = wait(id, true)\n"
  "  assert(status == 200 and body == '' and head == '', path)\n"
  "  assert(trouble.name == 'memory' and trouble.fate == 'answered' and trouble.text ~= '', path)\n"
  "  id = assert(engine:submit(request, core.secrets()))\n"
  "  status, body, head, trouble = wait(id, false)\n"
  "  assert(status == 200 and #body + #head > 50000 and not trouble, path)\n"
  "end\n"
  "engine:close()\n";

static const server_route rows[] = {{.path = "/body", .response = long_body}, {.path = "/head", .response = long_head}, {.path = NULL}};

static void write_answers (void) {
  size_t n = (size_t)sprintf(long_body, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);
  memset(long_body + n, 'x', BODY);
  n = (size_t)sprintf(long_head, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ");
  memset(long_head + n, 'x', HEAD);
  strcpy(long_head + n + HEAD, "\r\n\r\n");
}

static void gives_a_failure_with_an_outcome (void) {
  static test_server p;
  lua_State *L = lua_newstate(allocate, NULL);
  if (!L) abort();
  server_start(&p, rows);
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_pushstring(L, cpath);
  lua_setfield(L, -2, "cpath");
  bool right = luaL_loadstring(L, chunk) == LUA_OK;
  lua_pushstring(L, server_url(&p, ""));
  lua_pushcfunction(L, set_short);
  right = right && lua_pcall(L, 2, 0, 0) == LUA_OK;
  if (!CHECK(right)) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(server_requests(&p, 0) == 2 && server_requests(&p, 1) == 2);
  largest = (size_t)-1;
  lua_close(L);
  server_stop(&p);
}

int main (int argc, char **argv) {
  static const check_test tests[] = {{"a response without memory is a failure with an outcome", gives_a_failure_with_an_outcome}};
  if (argc != 2) {
    fputs("usage: response_memory_test CPATH\n", stderr);
    return 2;
  }
  cpath = argv[1];
  write_answers();
  return CHECK_RUN(tests);
}
