/* engine_fork_test.c - engines and fork: a child can't use its parent's engine, and can use its own. */
#define _GNU_SOURCE              /* for test_server.h */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "support/engine_fixture.h"

/* A kernel without MADV_WIPEONFORK, for the second run of these tests. There, all functions notice fork, but not _Fork. */
static bool is_old_kernel;
__attribute__((visibility("default")))
int madvise (void *address, size_t length, int advice) { return is_old_kernel ? -1 : (int)syscall(SYS_madvise, address, length, advice); }

/* _Fork runs no atfork handler */
static pid_t (*const forks[]) (void) = {fork, _Fork};
static int count_forks (void) { return is_old_kernel ? 1 : 2; }

/* Children of these tests start threads; by default ThreadSanitizer ends them. */
const char *__tsan_default_options (void);
const char *__tsan_default_options (void) { return "die_after_fork=0"; }

static int status_of (pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

/* qemu-user takes MADV_WIPEONFORK, and wipes nothing. */
static bool kernel_wipes (void) {
  char *memory = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || syscall(SYS_madvise, memory, 1, MADV_WIPEONFORK) != 0) return false;
  *memory = 1;
  pid_t child = fork();
  if (child == 0) _exit(*memory);
  return status_of(child) == 0;
}

/* in a child, no function of the parent's engine works or hangs, and the parent's servers notice nothing */
static int use_of_a_forked_engine (dk_engine *e) {
  dk_failure failure;
  dk_xfer_id none;
  uint64_t counts[4];
  dk_request r = get("/works");
  dk_xfer *x = dk_xfer_new(&r, &failure);
  bool right = dk_engine_forked(e) && dk_engine_submit(e, x) == 0 && !dk_engine_start(e) && dk_engine_next(e, &none) == NULL;
  right = right && dk_engine_fd(e) == -1 && !dk_engine_alarm(e, 0) && !dk_engine_alarm(e, -1) && dk_engine_listen(e, "/tmp", &failure) == NULL;
  right = right && dk_engine_pending(e) == 0 && !dk_engine_wait(e, 0) && !dk_engine_progress(e, 1, counts);
  dk_engine_cancel(e, 1);
  dk_xfer_free(x);
  end_engine(e);
  return right ? 0 : 1;
}

static void check_fork_after_the_first_submit (pid_t (*forks_now) (void), bool threaded) {
  dk_xfer_id id = 0, came = 0;
  dk_engine *e = new_engine(threaded);
  CHECK(engine_works(e));
  int before = server_requests(&p, SILENT_ROW);
  id = submit(e, get("/silent"));
  WAIT_UNTIL(e, server_requests(&p, SILENT_ROW) == before + 1);
  pid_t child = forks_now();
  if (child == 0) _exit(use_of_a_forked_engine(e));
  CHECK(status_of(child) == 0);
  CHECK(!dk_engine_forked(e) && dk_engine_pending(e) == 1 && engine_works(e));  /* the parent continues, with its transfer */
  dk_engine_cancel(e, id);
  dk_xfer *x = wait_for_transfer(e, &came);
  CHECK(came == id);
  dk_xfer_free(x);
  end_engine(e);
}

static void fork_after_the_first_submit (void) {
  for (int i = 0; i < 2 * count_forks(); i++) check_fork_after_the_first_submit(forks[i / 2], DK_HAS_THREADS && i % 2);
}

static void check_fork_before_the_first_submit (pid_t (*forks_now) (void), bool threaded) {
  dk_engine *e = new_engine(threaded);
  pid_t child = forks_now();
  if (child == 0) {
    bool right = engine_works(e) && !dk_engine_forked(e);
    end_engine(e);
    _exit(right ? 0 : 1);
  }
  CHECK(status_of(child) == 0);
  CHECK(engine_works(e));
  end_engine(e);
}

static void fork_before_the_first_submit (void) {
  for (int i = 0; i < 2 * count_forks(); i++) check_fork_before_the_first_submit(forks[i / 2], DK_HAS_THREADS && i % 2);
}

/* a child can make its own engine */
static void a_forked_child_makes_its_own_engine (void) {
  for (int i = 0; i < count_forks(); i++) {
    dk_engine *e = new_engine(DK_HAS_THREADS);
    CHECK(engine_works(e));
    pid_t child = forks[i]();
    if (child == 0) {
      dk_engine *own = new_engine(DK_HAS_THREADS);
      bool right = engine_works(own);
      end_engine(own);
      end_engine(e);
      _exit(right ? 0 : 1);
    }
    CHECK(status_of(child) == 0 && engine_works(e));
    end_engine(e);
  }
}

/* The child has no thread of its parent, so it must not join one. Here every kernel notices _Fork. */
static void a_forked_child_exits_and_closes (void) {
  for (int i = 0; i < 4; i++) {
    dk_engine *e = new_engine(DK_HAS_THREADS);
    CHECK(engine_works(e));
    fflush(NULL);
    pid_t child = forks[i % 2]();
    if (child == 0) {
      alarm(20);                                                          /* seconds; a hang is a failure */
      if (i >= 2) exit(0);
      end_engine(e);
      _exit(0);                                                           /* a child frees nothing of its parent */
    }
    CHECK(status_of(child) == 0 && engine_works(e));
    end_engine(e);
  }
}

static void on_a_kernel_that_wipes_nothing (void) {
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "old", "old", (char *)NULL);
    _exit(127);
  }
  CHECK(status_of(child) == 0);
}

int main (int argc, char **argv) {
  static const check_test tests[] = {
    {"fork_after_the_first_submit", fork_after_the_first_submit},
    {"fork_before_the_first_submit", fork_before_the_first_submit},
    {"a_forked_child_makes_its_own_engine", a_forked_child_makes_its_own_engine},
    {"a_forked_child_exits_and_closes", a_forked_child_exits_and_closes},
    {"on_a_kernel_that_wipes_nothing", on_a_kernel_that_wipes_nothing},
  };
  (void)argv;
  is_old_kernel = argc > 1 || !kernel_wipes();
  if (argc == 1 && is_old_kernel) puts("skip   _Fork: this system does not wipe memory for a child");
  server_start(&p, rows);
  int ended = check_run(tests, sizeof tests / sizeof *tests - is_old_kernel);
  server_stop(&p);
  return ended;
}
