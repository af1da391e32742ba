/* engine_memory_test.c - each allocation of the core fails in turn: the failure is DK_NO_MEMORY, and nothing is lost or left behind. */
#define _GNU_SOURCE              /* for test_server.h */
#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/memory_cases.h"

/* told: the failure is reported; close_while_running drops some failures with their transfers */
static void sweep (dk_status (*run) (void), bool told) {
  bool failed = true;
  for (long n = 1; failed; n++) {
    size_t before = live_blocks();
    fail_allocation(n);
    dk_status status = run();
    failed = fail_allocation_done();
    fail_allocation(0);
    bool right = CHECK(live_blocks() == before) & CHECK(status == (failed && told ? DK_NO_MEMORY : DK_OK) || (!told && failed && status == DK_NO_MEMORY));
    if (!right) {
      fprintf(stderr, "  allocation %ld: %s, %zu blocks left\n", n, dk_status_name(status), live_blocks() - before);
      return;
    }
  }
}

static void secrets (void) { sweep(case_secrets, true); }
static void form (void) { sweep(case_form, true); }
static void get (void) { sweep(case_get, true); }
static void get_on_a_thread (void) { sweep(case_get_on_a_thread, true); }
static void twenty_gets (void) { sweep(case_twenty_gets, true); }
static void post (void) { sweep(case_post, true); }
static void upload (void) { sweep(case_upload, true); }
static void download (void) { sweep(case_download, true); }
static void through_a_proxy (void) { sweep(case_through_a_proxy, true); }
static void listens (void) { sweep(case_listen, true); }
static void close_while_running (void) { sweep(case_close_while_running, false); }

int main (void) {
  static const check_test tests[] = {
    {"secrets", secrets}, {"form", form}, {"get", get}, {"get_on_a_thread", get_on_a_thread}, {"twenty_gets", twenty_gets}, {"post", post},
    {"upload", upload}, {"download", download}, {"through_a_proxy", through_a_proxy}, {"listens", listens}, {"close_while_running", close_while_running},
  };
  memory_cases_begin();
  int ended = CHECK_RUN(tests);
  return !memory_cases_end() || ended;
}
