/* engine_helpers.h - what tests of the engine share: a request with the usual figures, and waiting with patience. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "support/check.h"
#include "engine/engine.h"

#define PATIENCE 20.0            /* seconds; what takes longer never comes, and its test fails */

#define PNG_HEAD "\x89PNG\r\n\x1A\n"

/* a whole image in twelve bytes without a NUL, as far as its first bytes and its end tell: a JPEG */
#define IMAGE_START "\xFF\xD8\xFF\xD0" "some"
#define IMAGE_END "xy\xFF\xD9"

/* A request without a body, with no limit but PATIENCE. */
static inline dk_request ask (const char *method, const char *url) {
  dk_request request = {.method = method, .url = url, .max_answer = 1 << 20};
  dk_buffer_init(&request.lines, DK_MAX_HEAD);
  dk_buffer_init(&request.body, 64u << 20);
  return request;
}

/* A creating call, as invariant 1 wants it. */
static inline dk_request post (const char *url, const char *body) {
  dk_request request = ask("POST", url);
  request.flags = DK_ONCE;
  request.has_body = true;
  CHECK(dk_buffer_add(&request.body, body, strlen(body)) == DK_OK);
  return request;
}

/* Submits; 0, and a miss, where it can't. */
static inline dk_xfer_id submit (dk_engine *e, dk_request request) {
  dk_failure failure = {DK_OK, ""};
  dk_xfer *x = dk_xfer_new(&request, &failure);
  if (!CHECK(x != NULL)) return 0;
  dk_xfer_id id = dk_engine_submit(e, x);
  if (!CHECK(id != 0)) dk_xfer_free(x);
  return id;
}

/* The next finished transfer, the caller's; NULL, and a miss, where none comes. */
static inline dk_xfer *await (dk_engine *e, dk_xfer_id *id) {
  double end = dk_now() + PATIENCE;
  dk_xfer_id any;
  for (dk_xfer *x; dk_now() < end; dk_engine_wait(e, 1)) {
    if ((x = dk_engine_next(e, id ? id : &any)) != NULL) return x;
  }
  CHECK(!"a transfer came back");
  return NULL;
}

/* One exchange from its submit to its end. */
static inline dk_xfer *exchange (dk_engine *e, dk_request request) {
  return submit(e, request) != 0 ? await(e, NULL) : NULL;
}

/* Steps (or lets the thread step) until the condition holds; false, and a miss, where it never does. */
#define UNTIL(e, condition)                                                                  \
  do {                                                                                       \
    double until_end = dk_now() + PATIENCE;                                                  \
    while (!(condition) && dk_now() < until_end) until_turn(e);                              \
    CHECK(condition);                                                                        \
  } while (0)

/* One step that waits for nothing, and a breath for the other threads. e: NULL: the breath alone. */
static inline void until_turn (dk_engine *e) {
  const struct timespec breath = {0, 1000000};
  if (e != NULL) dk_engine_wait(e, 0);
  nanosleep(&breath, NULL);
}

static inline bool body_is (const dk_xfer *x, const char *text) {
  return x->answer.length == strlen(text) && memcmp(x->answer.bytes ? x->answer.bytes : "", text, strlen(text)) == 0;
}

#endif
