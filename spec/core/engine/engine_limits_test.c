/* engine_limits_test.c - limits are checked after libcurl ran, and in stepped time (architecture.md, invariant 2). */
#define _GNU_SOURCE              /* for test_server.h and slow_lookup.h */
#include <string.h>

#include "support/stalled_transfer.h"

static void sleep_for (double seconds) {
  const struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

/* A script computes for three seconds between two steps. The response of the first call came in that time, so its limit of one
 * second does not apply. The second response comes after the pause, which counts as one second, so its limit is not reached. */
static void three_seconds_of_the_hosts_time (void) {
  static const server_route rows[] = {
    {.path = "/during", .response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", .gather = 2},
    {.path = "/after", .response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", .gather = 2}, {NULL}};
  static test_server p;
  dk_xfer_id during, after, came;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new(), *other = dk_engine_new();
  dk_request r = make_post(server_url(&p, "/during"), "{}");
  r.limits.total = 1;
  during = submit(e, r);
  r = make_post(server_url(&p, "/after"), "{}");
  r.limits.total = 2.9;
  after = submit(e, r);
  WAIT_UNTIL(e, server_requests(&p, 0) == 1 && server_requests(&p, 1) == 1);
  dk_xfer_free(run_transfer(other, make_request("GET", server_url(&p, "/during"))));       /* the server responds to the first one now */
  sleep_for(3);
  dk_xfer *x = wait_for_transfer(e, &came);
  if (x != NULL) CHECK(came == during && x->outcome.failure.status == DK_OK && x->outcome.fate == DK_ANSWERED);
  dk_xfer_free(x);
  dk_xfer_free(run_transfer(other, make_request("GET", server_url(&p, "/after"))));
  x = wait_for_transfer(e, &came);
  if (x != NULL) CHECK(came == after && x->outcome.failure.status == DK_OK && x->outcome.fate == DK_ANSWERED);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  dk_engine_close(other);
  dk_engine_free(other);
  server_stop(&p);
}

static void idle_of_a_third (dk_request *r) { r->limits.idle = 0.3; }
static void total_of_a_third (dk_request *r) { r->limits.total = 0.3; }
static void connect_of_a_third (dk_request *r) { r->limits.connect = 0.3; }

static void check_limit (const phase_row *row, void (*limit) (dk_request *), bool threaded) {
  stalled_transfer p;
  dk_engine *e = dk_engine_new();
  char name[64];
  CHECK(!threaded || dk_engine_start(e));
  snprintf(name, sizeof name, "/tmp/engine_limits_test.%ld", (long)getpid());
  stall_begin(&p, e, row->kind, name, limit);
  if (row->kind != IN_CONNECT) stall_reach(&p, e, row->kind);
  dk_xfer *x = wait_for_transfer(e, NULL);
  if (x != NULL) {
    bool right = CHECK(x->outcome.failure.status == DK_TIMEOUT) & CHECK(x->outcome.fate == row->fate) & CHECK(strcmp(x->outcome.phase, row->phase) == 0);
    if (!right) fprintf(stderr, "  %s: %s (%s), fate %d, step %s\n", row->phase, dk_status_name(x->outcome.failure.status), x->outcome.failure.text, (int)x->outcome.fate, x->outcome.phase);
  }
  dk_xfer_free(x);
  CHECK(access(name, F_OK) != 0);
  dk_engine_close(e);
  dk_engine_free(e);
  stall_end(&p);
}

static void idle_and_total_hold_in_every_phase (void) {
  for (size_t i = 0; i < PHASES; i++) {
    check_limit(&phases[i], idle_of_a_third, DK_HAS_THREADS && i % 2);
    check_limit(&phases[i], total_of_a_third, DK_HAS_THREADS && i % 2 == 0);
  }
}

static void connect_covers_look_up_and_tls (void) {
  for (size_t i = 0; phases[i].kind <= IN_TLS; i++) {
    check_limit(&phases[i], connect_of_a_third, false);
    if (DK_HAS_THREADS) check_limit(&phases[i], connect_of_a_third, true);
  }
}

/* the connect limit ends when the connection is open */
static void connect_does_not_cover_the_answer (void) {
  stalled_transfer p;
  dk_xfer_id none;
  dk_engine *e = dk_engine_new();
  stall_begin(&p, e, IN_WAIT, NULL, connect_of_a_third);
  stall_reach(&p, e, IN_WAIT);
  for (double end = dk_now() + 0.6; dk_now() < end;) dk_engine_wait(e, 0.1);
  CHECK(dk_engine_next(e, &none) == NULL && dk_engine_pending(e) == 1);
  dk_engine_close(e);
  dk_engine_free(e);
  stall_end(&p);
}

/* five pieces, each after 0.7 s of stepped time: 3.5 s in all, under an idle limit of 1 */
static void whatever_moves_is_not_idle (void) {
  static const char *const pieces[] = {"HTTP/1.1 200 OK\r\n", "Content-Length: 3\r\n\r\n", "h", "i", "!"};
  stalled_transfer p;
  dk_engine *e = dk_engine_new();
  p = (stalled_transfer){.fd = -1};
  p.listener = server_listener(1, &p.address);
  snprintf(p.url, sizeof p.url, "http://127.0.0.1:%d/", ntohs(p.address.sin_port));
  dk_request r = make_post(p.url, "{}");
  r.limits.idle = 1;
  submit(e, r);
  stall_accept(&p, e);
  stall_read(&p, e, 10);
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    dk_engine_wait(e, 0);
    sleep_for(0.7);
    CHECK(send(p.fd, pieces[i], strlen(pieces[i]), MSG_NOSIGNAL) > 0);
  }
  dk_xfer *x = wait_for_transfer(e, NULL);
  if (x != NULL && !CHECK(x->outcome.failure.status == DK_OK && body_is(x, "hi!"))) fprintf(stderr, "  %s\n", x->outcome.failure.text);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  close(p.fd);
  close(p.listener);
}

/* the earliest limit wakes a caller that would wait for ever */
static void a_limit_wakes_the_waiter (void) {
  stalled_transfer p;
  dk_xfer_id none;
  dk_engine *e = dk_engine_new();
  stall_begin(&p, e, IN_WAIT, NULL, total_of_a_third);
  stall_reach(&p, e, IN_WAIT);
  for (int turns = 0; turns < 100 && !dk_engine_ready(e); turns++) dk_engine_wait(e, 1e9);
  dk_xfer *x = dk_engine_next(e, &none);
  if (CHECK(x != NULL)) CHECK(x->outcome.failure.status == DK_TIMEOUT);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  stall_end(&p);
}

int main (void) {
  static const check_test tests[] = {
    {"three_seconds_of_the_hosts_time", three_seconds_of_the_hosts_time},
    {"idle_and_total_hold_in_every_phase", idle_and_total_hold_in_every_phase},
    {"connect_covers_look_up_and_tls", connect_covers_look_up_and_tls},
    {"connect_does_not_cover_the_answer", connect_does_not_cover_the_answer},
    {"whatever_moves_is_not_idle", whatever_moves_is_not_idle},
    {"a_limit_wakes_the_waiter", a_limit_wakes_the_waiter},
  };
  return CHECK_RUN(tests);
}
