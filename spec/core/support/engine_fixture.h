/* engine_fixture.h - a server that answers "/works" and never "/silent", and engines that call it. */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include "support/engine_helpers.h"
#include "support/test_server.h"

static const server_route rows[] = {
  {.path = "/works", .response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
  {.path = "/silent", .gather = 1000000},
  {NULL},
};
enum { WORKS_ROW, SILENT_ROW };

static test_server p;

static inline dk_request get (const char *path) { return make_request("GET", server_url(&p, path)); }

static inline dk_engine *new_engine (bool threaded) {
  dk_engine *e = dk_engine_new();
  CHECK(!threaded || dk_engine_start(e));
  return e;
}

static inline void end_engine (dk_engine *e) {
  dk_engine_close(e);
  dk_engine_free(e);
}

static inline bool engine_works (dk_engine *e) {
  dk_xfer *x = run_transfer(e, get("/works"));
  bool right = x != NULL && x->outcome.failure.status == DK_OK && body_is(x, "hi");
  dk_xfer_free(x);
  return right;
}

#endif
