/* engine_wake_test.c - the engine's thread wakes up, also if libcurl consumes a wake-up, and also with few descriptors. */
#define _GNU_SOURCE              /* for test_server.h, RTLD_NEXT */
#include <sys/resource.h>

#include "support/engine_fixture.h"
#include "support/libcurl_hook.h"

/* ---- a libcurl that consumes wake-ups in curl_multi_perform, as 8.21 does ---- */

static atomic_bool swallows;     /* the next curl_multi_perform waits for go_on, then consumes the wake-up */
static atomic_bool inside, go_on;

HOOK CURLMcode curl_multi_perform (CURLM *multi, int *running) {
  static CURLMcode (*real) (CURLM *, int *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_perform");
  CURLMcode code = real(multi, running);
  if (!atomic_exchange(&swallows, false)) return code;
  atomic_store(&inside, true);
  WAIT_UNTIL(NULL, atomic_load(&go_on));
  curl_multi_poll(multi, NULL, 0, 0, NULL);
  return code;
}

static dk_engine *begin_a_step (dk_xfer_id *silent) {
  dk_engine *e = new_engine(true);
  CHECK(engine_works(e));
  atomic_store(&inside, false);
  atomic_store(&go_on, false);
  atomic_store(&swallows, true);
  *silent = submit(e, get("/silent"));
  WAIT_UNTIL(NULL, atomic_load(&inside));
  return e;
}

static void a_submit_in_the_middle_of_a_step (void) {
  dk_xfer_id silent, id, came = 0;
  dk_engine *e = begin_a_step(&silent);
  id = submit(e, get("/works"));
  atomic_store(&go_on, true);
  dk_xfer *x = wait_for_transfer(e, &came);
  CHECK(came == id);
  dk_xfer_free(x);
  end_engine(e);
}

static void a_cancel_in_the_middle_of_a_step (void) {
  dk_xfer_id silent, came = 0;
  dk_engine *e = begin_a_step(&silent);
  dk_engine_cancel(e, silent);
  atomic_store(&go_on, true);
  dk_xfer *x = wait_for_transfer(e, &came);
  CHECK(came == silent);
  dk_xfer_free(x);
  end_engine(e);
}

static void *let_go (void *arg) {
  (void)arg;
  for (int i = 0; i < 100; i++) wait_turn(NULL);      /* by then the close is in its join; if not, the test is only weaker */
  atomic_store(&go_on, true);
  return NULL;
}

static void a_close_in_the_middle_of_a_step (void) {
  pthread_t thread;
  dk_xfer_id silent;
  dk_engine *e = begin_a_step(&silent);
  CHECK(pthread_create(&thread, NULL, let_go, NULL) == 0);
  end_engine(e);
  pthread_join(thread, NULL);
}

/* ---- few descriptors ---- */

enum { MOST = 12 };              /* more than an engine, its first transfer and a lookup need */

/* Limits the process to count more descriptors. */
static void leave_descriptors (int count, struct rlimit *before) {
  struct rlimit limit;
  int lowest = dup(0);
  close(lowest);
  getrlimit(RLIMIT_NOFILE, before);
  limit = *before;
  limit.rlim_cur = (rlim_t)(lowest + count);
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* With few descriptors, the first submit fails, or its transfer does; the next transfer works, and close returns. */
static void a_first_submit_with_few_descriptors (void) {
  int refused = 0;
  WAIT_UNTIL(NULL, server_open(&p) == 0);
  for (int i = 0; i < 2 * MOST; i++) {
    struct rlimit before;
    dk_failure failure;
    dk_engine *e = new_engine(i % 2);
    dk_request r = make_request("GET", "http://127.0.0.1:1/");
    dk_xfer *x = dk_xfer_new(&r, &failure);
    leave_descriptors(i / 2, &before);
    if (dk_engine_submit(e, x) == 0) {
      dk_xfer_free(x);
      refused++;
    }
    setrlimit(RLIMIT_NOFILE, &before);
    while (dk_engine_pending(e) > 0 && (x = wait_for_transfer(e, NULL)) != NULL) {
      CHECK(x->outcome.failure.status == DK_CONNECT && x->outcome.fate == DK_NOT_SENT);
      dk_xfer_free(x);
    }
    CHECK(engine_works(e));
    end_engine(e);
  }
  CHECK(refused >= 2);                                 /* both kinds of engines, without any descriptor */
}

int main (void) {
  static const check_test tests[] = {
    {"a_submit_in_the_middle_of_a_step", a_submit_in_the_middle_of_a_step},
    {"a_cancel_in_the_middle_of_a_step", a_cancel_in_the_middle_of_a_step},
    {"a_close_in_the_middle_of_a_step", a_close_in_the_middle_of_a_step},
    {"a_first_submit_with_few_descriptors", a_first_submit_with_few_descriptors},
  };
  alarm(240);                                          /* seconds; a hang is a failure */
  server_start(&p, rows);
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return ended;
}
