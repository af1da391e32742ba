/* curl_memory_test.c - each allocation fails in turn, also those of libcurl: each transfer comes back once, no memory of our code is
 * lost, and no file is left. Memory that libcurl itself loses is not counted. */
#define _GNU_SOURCE              /* for test_server.h */
#include "support/check.h"
#include "support/fail_alloc.h"
#include "support/memory_cases.h"

static void sweep (dk_status (*run) (void)) {
  bool failed = true;
  long n = 1;
  for (; failed; n++) {
    size_t before = live_blocks();
    fail_allocation(n);
    dk_status status = run();
    failed = fail_allocation_done();
    fail_allocation(0);
    if (!(CHECK(live_blocks() == before) & CHECK(status != DK_PROTOCOL && status != DK_FILE && status != DK_TIMEOUT) & CHECK(failed || status == DK_OK))) {
      fprintf(stderr, "  allocation %ld: %s, %zu blocks left\n", n, dk_status_name(status), live_blocks() - before);
      return;
    }
  }
}

static void get (void) { sweep(case_get); }
static void get_on_a_thread (void) { sweep(case_get_on_a_thread); }
static void post (void) { sweep(case_post); }
static void upload (void) { sweep(case_upload); }
static void download (void) { sweep(case_download); }
static void through_a_proxy (void) { sweep(case_through_a_proxy); }
static void close_while_running (void) { sweep(case_close_while_running); }

int main (void) {
  static const check_test tests[] = {
    {"get", get}, {"get_on_a_thread", get_on_a_thread}, {"post", post}, {"upload", upload}, {"download", download}, {"through_a_proxy", through_a_proxy},
    {"close_while_running", close_while_running},
  };
  fail_alloc_hook_curl();
  memory_cases_begin();
  int ended = CHECK_RUN(tests);
  return !memory_cases_end() || ended;
}
