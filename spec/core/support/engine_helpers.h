/* engine_helpers.h - helpers for tests of the engine: requests with the usual values, and waiting for transfers. */
#ifndef ENGINE_HELPERS_H
#define ENGINE_HELPERS_H

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "os/threads.h"
#include "engine/engine.h"
#include "support/check.h"
#include "os/os.h"

#define PATIENCE 20.0            /* seconds; a test that waits longer fails */

#define PNG_HEAD "\x89PNG\r\n\x1A\n"

/* a complete JPEG of twelve bytes without a NUL, as far as its first bytes and its end show */
#define IMAGE_START "\xFF\xD8\xFF\xD0" "some"
#define IMAGE_END "xy\xFF\xD9"

/* A request without a body and without time limits. */
static inline dk_request make_request (const char *method, const char *url) {
  dk_request request = {.method = method, .url = url, .limits = {.response_bytes = 1 << 20}};
  dk_buffer_init(&request.headers, DK_MAX_HEADERS);
  dk_buffer_init(&request.body, 64u << 20);
  return request;
}

/* A creating call (architecture.md, invariant 1). */
static inline dk_request make_post (const char *url, const char *body) {
  dk_request request = make_request("POST", url);
  request.flags = DK_ONCE;
  request.has_body = true;
  CHECK(dk_buffer_add(&request.body, body, strlen(body)) == DK_OK);
  return request;
}

/* Submits a transfer; 0, and a failed check, if that fails. */
static inline dk_xfer_id submit (dk_engine *e, dk_request request) {
  dk_failure failure = {DK_OK, ""};
  dk_xfer *x = dk_xfer_new(&request, &failure);
  if (!CHECK(x != NULL)) return 0;
  dk_xfer_id id = dk_engine_submit(e, x);
  if (!CHECK(id != 0)) dk_xfer_free(x);
  return id;
}

/* The next finished transfer, which the caller owns; NULL, and a failed check, if none comes. */
static inline dk_xfer *wait_for_transfer (dk_engine *e, dk_xfer_id *id) {
  double end = dk_now() + PATIENCE;
  dk_xfer_id any;
  for (dk_xfer *x; dk_now() < end; dk_engine_wait(e, 1)) {
    if ((x = dk_engine_next(e, id ? id : &any)) != NULL) return x;
  }
  CHECK(!"a transfer came back");
  return NULL;
}

/* Submits a transfer and waits for its end. */
static inline dk_xfer *run_transfer (dk_engine *e, dk_request request) {
  return submit(e, request) != 0 ? wait_for_transfer(e, NULL) : NULL;
}

/* Steps, or lets the thread step, until the condition holds; a failed check if it never does. */
#define WAIT_UNTIL(e, condition)                            \
  do {                                                      \
    double wait_end = dk_now() + PATIENCE;                  \
    while (!(condition) && dk_now() < wait_end) wait_turn(e); \
    CHECK(condition);                                       \
  } while (0)

/* One step that does not wait, then a millisecond for the other threads. e: NULL: only the millisecond. */
static inline void wait_turn (dk_engine *e) {
  const struct timespec millisecond = {0, 1000000};
  if (e != NULL) dk_engine_wait(e, 0);
  nanosleep(&millisecond, NULL);
}

static inline bool body_is (const dk_xfer *x, const char *text) {
  return x->response.body.length == strlen(text) && memcmp(x->response.body.bytes ? x->response.body.bytes : "", text, strlen(text)) == 0;
}

#endif
