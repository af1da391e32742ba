/* sigpipe_test.c - SIGPIPE of a libcurl before 7.87 does not reach the program; every other SIGPIPE does. */
#define _GNU_SOURCE              /* for test_server.h, RTLD_NEXT */
#include "support/engine_fixture.h"
#include "support/libcurl_hook.h"
#include <pthread.h>
#include <signal.h>
#include "os/sigpipe.h"

static atomic_int handled;       /* SIGPIPEs that the host's handler saw */
static atomic_bool is_old;       /* libcurl says that it is 7.86, and raises SIGPIPE as 7.86 does */

static void on_sigpipe (int number) {
  (void)number;
  atomic_fetch_add(&handled, 1);
}

static void write_to_a_closed_pipe (void) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  close(ends[0]);
  CHECK(write(ends[1], "x", 1) == -1);
  close(ends[1]);
}

static bool is_pending (void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void mask_sigpipe (int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(how, &set, NULL);
}

static bool is_masked (void) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

HOOK curl_version_info_data *curl_version_info (CURLversion age) {
  static curl_version_info_data *(*real) (CURLversion);
  static curl_version_info_data old;
  if (real == NULL) HOOK_REAL(real, "curl_version_info");
  if (!atomic_load(&is_old)) return real(age);
  old = *real(age);
  old.version_num = 0x075600;
  return &old;
}

HOOK CURLMcode curl_multi_perform (CURLM *multi, int *running) {
  static CURLMcode (*real) (CURLM *, int *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_perform");
  if (atomic_load(&is_old)) write_to_a_closed_pipe();
  return real(multi, running);
}

HOOK CURLMcode curl_multi_cleanup (CURLM *multi) {
  static CURLMcode (*real) (CURLM *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_cleanup");
  if (atomic_load(&is_old)) write_to_a_closed_pipe();         /* it closes the TLS connections of its pool */
  return real(multi);
}

static void what_comes_meanwhile_is_taken (void) {
  dk_sigpipe_guard guard;
  dk_sigpipe_block(&guard);
  CHECK(is_masked());
  for (int i = 0; i < 3; i++) write_to_a_closed_pipe();
  CHECK(is_pending());
  dk_sigpipe_unblock(&guard);
  CHECK(atomic_load(&handled) == 0 && !is_pending() && !is_masked());
  write_to_a_closed_pipe();                                   /* the host's own */
  CHECK(atomic_exchange(&handled, 0) == 1);
}

static void what_was_pending_stays_so (void) {
  dk_sigpipe_guard guard;
  mask_sigpipe(SIG_BLOCK);
  write_to_a_closed_pipe();
  dk_sigpipe_block(&guard);
  write_to_a_closed_pipe();
  dk_sigpipe_unblock(&guard);
  CHECK(is_pending() && is_masked() && atomic_load(&handled) == 0);
  mask_sigpipe(SIG_UNBLOCK);
  CHECK(atomic_exchange(&handled, 0) == 1);
}

static void a_mask_of_the_hosts_stays (void) {
  dk_sigpipe_guard guard;
  mask_sigpipe(SIG_BLOCK);
  dk_sigpipe_block(&guard);
  write_to_a_closed_pipe();
  dk_sigpipe_unblock(&guard);
  CHECK(!is_pending() && is_masked());
  mask_sigpipe(SIG_UNBLOCK);
  CHECK(atomic_load(&handled) == 0);
}

/* calls and close, in both modes */
static void an_engine_on_an_old_libcurl (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    atomic_store(&is_old, true);
    dk_engine *e = new_engine(threaded);
    for (int i = 0; i < 3; i++) CHECK(engine_works(e));
    submit(e, get("/silent"));
    end_engine(e);
    atomic_store(&is_old, false);
    CHECK(atomic_load(&handled) == 0 && !is_masked());
    write_to_a_closed_pipe();
    CHECK(atomic_exchange(&handled, 0) == 1);
  }
}

int main (void) {
  static const check_test tests[] = {
    {"what_comes_meanwhile_is_taken", what_comes_meanwhile_is_taken},
    {"what_was_pending_stays_so", what_was_pending_stays_so},
    {"a_mask_of_the_hosts_stays", a_mask_of_the_hosts_stays},
    {"an_engine_on_an_old_libcurl", an_engine_on_an_old_libcurl},
  };
  const struct sigaction action = {.sa_handler = on_sigpipe};
  mask_sigpipe(SIG_BLOCK);                                    /* the server's thread gets none */
  server_start(&p, rows);
  mask_sigpipe(SIG_UNBLOCK);
  sigaction(SIGPIPE, &action, NULL);
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return ended;
}
