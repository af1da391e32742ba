/* engine_cancel_test.c - cancel and close in every phase of a transfer, and in every state of the engine. */
#define _GNU_SOURCE              /* for test_server.h and slow_lookup.h */
#include <string.h>
#include <sys/stat.h>

#include "support/stalled_transfer.h"

static char file[] = "/tmp/engine_cancel_test.XXXXXX/a.png";

static bool folder_is_empty (void) {
  file[strlen(file) - 6] = '\0';
  bool empty = rmdir(file) == 0 && mkdir(file, 0777) == 0;
  file[strlen(file)] = '/';
  return empty;
}

static dk_engine *new_engine (bool threaded) {
  dk_engine *e = dk_engine_new();
  CHECK(!threaded || dk_engine_start(e));
  return e;
}

/* The server does nothing, and the lookup still runs when the transfer comes back, so it came back at once. */
static void check_cancel (const phase_row *row, bool threaded) {
  stalled_transfer p;
  dk_xfer_id came = 0;
  dk_engine *e = new_engine(threaded);
  stall_begin(&p, e, row->kind, file, NULL);
  stall_reach(&p, e, row->kind);
  CHECK(dk_engine_next(e, &came) == NULL && dk_engine_pending(e) == 1);
  dk_engine_cancel(e, p.id);
  dk_engine_cancel(e, p.id);
  dk_xfer *x = wait_for_transfer(e, &came);
  if (x != NULL) {
    bool right = CHECK(came == p.id) & CHECK(x->outcome.failure.status == DK_CANCELLED) & CHECK(x->outcome.fate == row->fate) & CHECK(strcmp(x->outcome.phase, row->phase) == 0);
    if (!right) fprintf(stderr, "  %s, %s: %s, fate %d, step %s\n", row->phase, threaded ? "thread" : "waiter", x->outcome.failure.text, (int)x->outcome.fate, x->outcome.phase);
  }
  CHECK(row->kind != IN_LOOKUP || atomic_load(&lookups_waiting) >= 1);
  CHECK(folder_is_empty());
  CHECK(dk_engine_next(e, &came) == NULL && dk_engine_pending(e) == 0);
  dk_engine_cancel(e, p.id);
  CHECK(!dk_engine_wait(e, 0) && dk_engine_next(e, &came) == NULL);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  stall_end(&p);
}

static void check_close (const phase_row *row, bool threaded) {
  stalled_transfer p;
  dk_xfer_id none;
  uint64_t counts[4];
  dk_engine *e = new_engine(threaded);
  stall_begin(&p, e, row->kind, file, NULL);
  stall_reach(&p, e, row->kind);
  dk_engine_close(e);
  dk_engine_close(e);
  CHECK(row->kind != IN_LOOKUP || atomic_load(&lookups_waiting) >= 1);
  CHECK(folder_is_empty());
  CHECK(dk_engine_next(e, &none) == NULL && dk_engine_pending(e) == 0 && !dk_engine_wait(e, 0) && !dk_engine_start(e));
  CHECK(!dk_engine_progress(e, p.id, counts));
  dk_engine_cancel(e, p.id);
  dk_engine_free(e);
  stall_end(&p);
}

static void cancel_in_every_phase (void) {
  for (size_t i = 0; i < PHASES; i++) {
    check_cancel(&phases[i], false);
    if (DK_HAS_THREADS) check_cancel(&phases[i], true);
  }
}

static void close_in_every_phase (void) {
  for (size_t i = 0; i < PHASES; i++) {
    check_close(&phases[i], false);
    if (DK_HAS_THREADS) check_close(&phases[i], true);
  }
}

static const server_route rows[] = {
  {.path = "/works", .response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, {.path = "/silent", .response = NULL, .gather = 1000}, {NULL}};

/* each transfer comes back once, with its own id */
static void cancel_in_every_state (void) {
  static test_server p;
  dk_xfer_id came = 0;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  dk_engine_cancel(e, 1);                                                 /* nothing was submitted yet */
  dk_engine_cancel(e, 0);

  dk_xfer_id submitted = submit(e, make_request("GET", server_url(&p, "/silent")));  /* not started */
  dk_engine_cancel(e, submitted);
  dk_xfer *x = wait_for_transfer(e, &came);
  if (x != NULL) CHECK(came == submitted && x->outcome.failure.status == DK_CANCELLED && x->outcome.fate == DK_NOT_SENT);
  dk_xfer_free(x);

  dk_xfer_id unusable = submit(e, make_request("GET", "http://"));                 /* can't start */
  dk_engine_cancel(e, unusable);
  x = wait_for_transfer(e, &came);
  if (x != NULL) CHECK(came == unusable && x->outcome.failure.status == DK_BAD_URL);
  dk_xfer_free(x);

  dk_xfer_id done = submit(e, make_request("GET", server_url(&p, "/works")));        /* finished, not taken by next */
  WAIT_UNTIL(e, dk_engine_ready(e));
  dk_engine_cancel(e, done);
  dk_engine_wait(e, 0);
  x = wait_for_transfer(e, &came);
  if (x != NULL) CHECK(came == done && x->outcome.failure.status == DK_OK && x->outcome.fate == DK_ANSWERED);
  dk_xfer_free(x);

  dk_xfer_id first = submit(e, make_request("GET", server_url(&p, "/silent"))), second = submit(e, make_request("GET", server_url(&p, "/works")));
  WAIT_UNTIL(e, server_requests(&p, 1) > 0 && dk_engine_ready(e));
  dk_engine_cancel(e, first);                                             /* a running one, while another is done */
  bool seen[2] = {false, false};
  for (int i = 0; i < 2 && (x = wait_for_transfer(e, &came)) != NULL; i++) {
    CHECK(x->outcome.failure.status == (came == first ? DK_CANCELLED : DK_OK) && (came == first || came == second) && !seen[came == first]);
    seen[came == first] = true;
    dk_xfer_free(x);
  }
  CHECK(dk_engine_pending(e) == 0 && dk_engine_next(e, &came) == NULL);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* transfers that are finished, running, submitted, and cancelled but not ended */
static void close_with_everything_in_every_state (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    static test_server p;
    server_start(&p, rows);
    dk_engine *e = new_engine(threaded);
    for (int i = 0; i < 3; i++) submit(e, make_post(server_url(&p, "/silent"), "{}"));
    WAIT_UNTIL(e, server_requests(&p, 1) == 3);
    for (int i = 0; i < 3; i++) submit(e, make_request("GET", server_url(&p, "/works")));
    WAIT_UNTIL(e, dk_engine_ready(e));                                         /* from here on nobody steps the engine without a thread */
    for (int i = 0; i < 10; i++) {
      dk_xfer_id id = submit(e, make_request("GET", server_url(&p, i % 2 ? "/works" : "/silent")));
      if (i % 3 == 0) dk_engine_cancel(e, id);
    }
    dk_engine_close(e);
    dk_engine_free(e);
    server_stop(&p);
  }
  dk_engine *never_used = dk_engine_new();
  dk_engine_close(never_used);
  dk_engine_free(never_used);
  dk_engine_free(NULL);
}

static void cancelled_ones_do_not_hurt_the_others (void) {
  static test_server p;
  enum { MANY = 40 };
  dk_xfer_id ids[MANY], came;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  for (int i = 0; i < MANY; i++) ids[i] = submit(e, make_request("GET", server_url(&p, "/silent")));
  WAIT_UNTIL(e, server_requests(&p, 1) == MANY);
  for (int i = 0; i < MANY; i += 2) dk_engine_cancel(e, ids[i]);
  for (int i = 0; i < MANY / 2; i++) {
    dk_xfer *x = wait_for_transfer(e, &came);
    if (x != NULL) CHECK(came % 2 == ids[0] % 2 && x->outcome.failure.status == DK_CANCELLED);
    dk_xfer_free(x);
  }
  CHECK(dk_engine_next(e, &came) == NULL && dk_engine_pending(e) == MANY / 2);
  dk_xfer *x = NULL;
  submit(e, make_request("GET", server_url(&p, "/works")));
  if ((x = wait_for_transfer(e, NULL)) != NULL) CHECK(x->outcome.failure.status == DK_OK);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* The cancel comes later from round to round, so in some of them between the transfer's end and its way to dk_engine_next;
 * AddressSanitizer sees it if the engine keeps the transfer then. */
static void cancel_while_it_ends (void) {
  static test_server p;
  enum { ROUNDS = 2000 };
  server_start(&p, rows);
  dk_engine *e = new_engine(DK_HAS_THREADS);
  for (int i = 0; i < ROUNDS; i++) {
    dk_xfer_id id = submit(e, make_request("GET", server_url(&p, "/works")));
    double moment = dk_now() + i % 1000 * 1e-6;                              /* a transfer takes 0.1 to 0.5 ms */
    while (dk_now() < moment) continue;
    dk_engine_cancel(e, id);
    dk_xfer *x = wait_for_transfer(e, NULL);
    CHECK(x != NULL);
    dk_xfer_free(x);
  }
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

int main (void) {
  static const check_test tests[] = {
    {"cancel_in_every_phase", cancel_in_every_phase},
    {"close_in_every_phase", close_in_every_phase},
    {"cancel_in_every_state", cancel_in_every_state},
    {"close_with_everything_in_every_state", close_with_everything_in_every_state},
    {"cancelled_ones_do_not_hurt_the_others", cancelled_ones_do_not_hurt_the_others},
    {"cancel_while_it_ends", cancel_while_it_ends},
  };
  file[strlen(file) - 6] = '\0';
  if (mkdtemp(file) == NULL) abort();
  file[strlen(file)] = '/';
  int ended = CHECK_RUN(tests);
  file[strlen(file) - 6] = '\0';
  rmdir(file);
  return ended;
}
