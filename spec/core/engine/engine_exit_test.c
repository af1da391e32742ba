/* engine_exit_test.c - after exit() has begun, engines of other threads do not run libcurl, and their functions return.
 *
 * Each test is a child process: engine_exit_test MODE URL. The child registers its exit handler before the engine does, so it runs
 * after the engine's, like the cleanup of libcurl and OpenSSL. */
#define _GNU_SOURCE              /* for test_server.h, RTLD_NEXT */
#include <sys/wait.h>

#include "engine/process.h"
#include "support/engine_fixture.h"
#include "support/libcurl_hook.h"

typedef enum { SLEEPS, THREADED, IN_A_STEP, CLOSES } mode;

enum { LONG_STEP = 200 };        /* turns of a step after exit() has begun; exit() waits five times as long */

static const char *url;
static mode kind;
static dk_process *process;      /* the engines', for IN_A_STEP */
static atomic_int calls, turns, inside;   /* calls of libcurl that need a step or a close; turns of the thread; steps that run now */
static atomic_bool holds, is_held;        /* the main thread is about to exit; the thread is where its mode wants it */
static atomic_bool late, is_closed;       /* the engine's exit handler has returned; the thread has closed its engine */

/* a step that runs while exit() begins */
HOOK CURLMcode curl_multi_perform (CURLM *multi, int *running) {
  static CURLMcode (*real) (CURLM *, int *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_perform");
  atomic_fetch_add(&calls, 1);
  atomic_fetch_add(&inside, 1);
  if (kind == IN_A_STEP && atomic_load(&holds)) {
    atomic_store(&is_held, true);
    WAIT_UNTIL(NULL, dk_process_is_exiting(process));
    for (int i = 0; i < LONG_STEP && !atomic_load(&late); i++) wait_turn(NULL);
  }
  CURLMcode code = real(multi, running);
  atomic_fetch_sub(&inside, 1);
  return code;
}

/* the sleep of a wait, which ends when the engine's exit handler has returned: the wait's next step comes after that */
HOOK CURLMcode curl_multi_poll (CURLM *multi, struct curl_waitfd fds[], unsigned count, int milliseconds, int *ready) {
  static CURLMcode (*real) (CURLM *, struct curl_waitfd[], unsigned, int, int *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_poll");
  CURLMcode code = real(multi, fds, count, milliseconds, ready);
  if (kind == SLEEPS && atomic_load(&holds)) {
    atomic_store(&is_held, true);
    WAIT_UNTIL(NULL, atomic_load(&late));
  }
  return code;
}

HOOK CURLMcode curl_multi_cleanup (CURLM *multi) {
  static CURLMcode (*real) (CURLM *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_cleanup");
  atomic_fetch_add(&calls, 1);
  return real(multi);
}

static dk_xfer *new_transfer (void) {
  dk_failure failure;
  dk_request r = make_request("GET", url);
  return dk_xfer_new(&r, &failure);
}

/* a thread of the host, which continues while the main thread exits */
static void *work (void *arg) {
  dk_xfer_id id;
  dk_engine *e = new_engine(kind == THREADED);
  (void)arg;
  for (;; atomic_fetch_add(&turns, 1)) {
    if (kind == CLOSES && atomic_load(&late) && e != NULL) {
      dk_engine_close(e);
      e = NULL;
      atomic_store(&is_closed, true);
    }
    if (e == NULL) continue;
    dk_xfer *x = new_transfer();
    if (dk_engine_submit(e, x) == 0) {
      if (!atomic_load(&late) && atomic_load(&calls) == 0) _exit(3);
      dk_xfer_free(x);
    }
    dk_engine_wait(e, 0.001);
    while ((x = dk_engine_next(e, &id)) != NULL) dk_xfer_free(x);
  }
  return NULL;
}

static void after_the_engines (void) {
  if (atomic_load(&inside) > 0) _exit(4);                     /* exit() did not wait for a step */
  int before = atomic_load(&calls), turn = atomic_load(&turns);
  atomic_store(&late, true);
  WAIT_UNTIL(NULL, atomic_load(&turns) > turn + 50);          /* submit, wait and close return */
  CHECK(kind != CLOSES || atomic_load(&is_closed));
  _exit(atomic_load(&calls) == before && check_misses == 0 ? 0 : 5);
}

_Noreturn static void leave (const char *which) {
  pthread_t thread;
  kind = (mode)atoi(which);
  atexit(after_the_engines);
  process = dk_process_start();
  if (pthread_create(&thread, NULL, work, NULL) != 0) _exit(6);
  WAIT_UNTIL(NULL, atomic_load(&turns) > 20);
  atomic_store(&holds, true);
  if (kind == SLEEPS || kind == IN_A_STEP) WAIT_UNTIL(NULL, atomic_load(&is_held));
  exit(0);
}

static void check_exit (mode which) {
  char text[8];
  int status = -1;
  snprintf(text, sizeof text, "%d", (int)which);
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "leave", text, server_url(&p, "/works"), (char *)NULL);
    _exit(127);
  }
  waitpid(child, &status, 0);
  if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0)) fprintf(stderr, "  status %d\n", status);
}

static void a_wait_that_sleeps_meanwhile (void) { check_exit(SLEEPS); }
static void an_engine_with_a_thread (void) { check_exit(THREADED); }
static void a_step_that_runs_is_waited_for (void) { check_exit(IN_A_STEP); }
static void an_engine_that_is_closed_afterwards (void) { check_exit(CLOSES); }

int main (int argc, char **argv) {
  static const check_test tests[] = {
    {"a_wait_that_sleeps_meanwhile", a_wait_that_sleeps_meanwhile},
    {"an_engine_with_a_thread", an_engine_with_a_thread},
    {"a_step_that_runs_is_waited_for", a_step_that_runs_is_waited_for},
    {"an_engine_that_is_closed_afterwards", an_engine_that_is_closed_afterwards},
  };
  alarm(120);                                                 /* seconds; a hang is a failure */
  if (argc == 3) {
    url = argv[2];
    leave(argv[1]);
  }
  server_start(&p, rows);
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return ended;
}
