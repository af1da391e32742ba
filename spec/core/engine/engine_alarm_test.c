/* engine_alarm_test.c - the alarm: a wake-up without a transfer, on the engine's thread and for a caller that steps. */
#define _GNU_SOURCE              /* for test_server.h */
#include <math.h>
#include <poll.h>

#include "support/engine_fixture.h"

static bool readable (int fd, double seconds) {
  struct pollfd event = {.fd = fd, .events = POLLIN};
  return fd >= 0 && poll(&event, 1, (int)(seconds * 1000)) == 1;
}

/* next has nothing, and clears the signal */
static bool comes_without_transfer (dk_engine *e) {
  dk_xfer_id none;
  return dk_engine_ready(e) && dk_engine_next(e, &none) == NULL && !dk_engine_ready(e);
}

static void on_the_thread_before_the_first_submit (void) {
  dk_engine *e = new_engine(true);
  for (int i = 0; i < 3; i++) {
    double begin = dk_now();
    CHECK(dk_engine_alarm(e, 0.03));
    CHECK(readable(dk_engine_fd(e), PATIENCE) && dk_now() - begin >= 0.03);
    CHECK(comes_without_transfer(e) && !readable(dk_engine_fd(e), 0));
  }
  end_engine(e);
}

static void for_a_caller_that_steps (void) {
  dk_engine *e = new_engine(false);
  double begin = dk_now();
  CHECK(dk_engine_alarm(e, 0.03));
  while (!dk_engine_wait(e, PATIENCE) && dk_now() - begin < PATIENCE);
  CHECK(dk_now() - begin >= 0.03 && dk_now() - begin < PATIENCE && comes_without_transfer(e));
  CHECK(!dk_engine_wait(e, 0));                       /* once */
  end_engine(e);
}

/* an hour, then at once: the thread must not sleep on */
static void an_earlier_one_replaces_it (void) {
  dk_engine *e = new_engine(true);
  CHECK(dk_engine_alarm(e, 3600) && engine_works(e) && dk_engine_alarm(e, 0));
  CHECK(readable(dk_engine_fd(e), PATIENCE) && comes_without_transfer(e));
  end_engine(e);
}

/* Sets an alarm, and replaces it before its time comes; a busy machine may need several attempts. */
static void replace_in_time (dk_engine *e, double seconds) {
  dk_xfer_id none;
  double begin, first = 0.05, end = dk_now() + PATIENCE;
  do {
    first *= 2;
    begin = dk_now();
    CHECK(dk_engine_alarm(e, first) && dk_engine_alarm(e, seconds));
  } while (dk_now() - begin >= first && dk_now() < end);
  while (dk_engine_ready(e)) dk_engine_next(e, &none);                     /* of an attempt that was too slow */
  while (dk_now() < begin + 1.5 * first) wait_turn(e);
  CHECK(!dk_engine_ready(e));
}

static void a_later_one_or_none_replaces_it (void) {
  static const double later[] = {3600, -1, HUGE_VAL};
  for (int i = 0; i < 6; i++) {
    dk_engine *e = new_engine(i % 2);
    replace_in_time(e, later[i / 2]);
    CHECK(engine_works(e));
    end_engine(e);
  }
}

static void together_with_transfers (void) {
  dk_xfer_id id, came = 0;
  dk_engine *e = new_engine(true);
  dk_xfer_id silent = submit(e, get("/silent"));
  CHECK(dk_engine_alarm(e, 0.01) && readable(dk_engine_fd(e), PATIENCE) && comes_without_transfer(e));
  CHECK(dk_engine_pending(e) == 1);
  CHECK(dk_engine_alarm(e, 3600));
  id = submit(e, get("/works"));
  dk_xfer *x = wait_for_transfer(e, &came);
  CHECK(came == id);
  dk_xfer_free(x);
  dk_engine_cancel(e, silent);
  x = wait_for_transfer(e, &came);
  CHECK(came == silent);
  dk_xfer_free(x);
  end_engine(e);
}

/* each alarm wakes, though transfers finish and are taken at the same time */
static void thousands_of_them (void) {
  enum { ROUNDS = 5000, TRANSFERS = 10 };
  dk_engine *e = new_engine(true);
  dk_xfer_id id;
  for (int i = 0; i < ROUNDS; i++) {
    if (dk_engine_pending(e) < TRANSFERS && i % 10 == 0) submit(e, get("/works"));
    for (dk_xfer *x; (x = dk_engine_next(e, &id)) != NULL;) dk_xfer_free(x);
    CHECK(dk_engine_alarm(e, 0));
    if (!CHECK(readable(dk_engine_fd(e), PATIENCE))) break;
  }
  end_engine(e);
}

static void none_opens_nothing (void) {
  dk_engine *e = new_engine(true);
  CHECK(dk_engine_alarm(e, -1) && dk_engine_alarm(e, HUGE_VAL) && !dk_engine_forked(e));
  dk_engine_close(e);
  CHECK(!dk_engine_alarm(e, 0) && !dk_engine_alarm(e, -1));
  dk_engine_free(e);
}

int main (void) {
  static const check_test tests[] = {
    {"on_the_thread_before_the_first_submit", on_the_thread_before_the_first_submit},
    {"for_a_caller_that_steps", for_a_caller_that_steps},
    {"an_earlier_one_replaces_it", an_earlier_one_replaces_it},
    {"a_later_one_or_none_replaces_it", a_later_one_or_none_replaces_it},
    {"together_with_transfers", together_with_transfers},
    {"thousands_of_them", thousands_of_them},
    {"none_opens_nothing", none_opens_nothing},
  };
  alarm(240);                                          /* seconds; a hang is a failure */
  server_start(&p, rows);
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return ended;
}
