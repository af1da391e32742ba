/* engine_test.c - the engine's interface for hosts: ids, the flag and the descriptor, both modes, several engines, the pool. */
#define _GNU_SOURCE              /* for test_server.h */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "support/engine_fixture.h"

static int count_folder (const char *path) {
  int count = 0;
  DIR *dir = opendir(path);
  if (dir == NULL) abort();
  while (readdir(dir) != NULL) count++;
  closedir(dir);
  return count;
}

static int descriptors (void) { return count_folder("/proc/self/fd"); }
static int threads (void) { return count_folder("/proc/self/task"); }

static void ids_never_come_twice (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    enum { MANY = 1500 };                                                 /* more than the table has buckets */
    static bool seen[MANY * 2];
    dk_engine *e = new_engine(threaded);
    dk_xfer_id last = 0, id;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < MANY; i++) {
      id = submit(e, i % 3 ? make_request("GET", "http://") : get("/works"));      /* some can't start */
      CHECK(id > last);
      last = id;
      if (i % 50 < 49) continue;
      for (int n = 0; n < 50; n++) {
        dk_xfer *x = wait_for_transfer(e, &id);
        if (x == NULL) break;
        if (CHECK(id < MANY * 2 && !seen[id])) seen[id] = true;
        dk_xfer_free(x);
      }
      CHECK(dk_engine_pending(e) == 0);
    }
    end_engine(e);
  }
}

static bool readable (int fd) {
  struct pollfd event = {.fd = fd, .events = POLLIN};
  return fd >= 0 && poll(&event, 1, 0) == 1;
}

static void nothing_is_there_before_the_first_submit (void) {
  WAIT_UNTIL(NULL, server_open(&p) == 0);                                 /* connections of earlier tests */
  int fds = descriptors(), tasks = threads();
  dk_xfer_id none;
  dk_engine *e = new_engine(true);
  CHECK(descriptors() == fds && threads() == tasks);
  CHECK(!dk_engine_wait(e, 0) && !dk_engine_ready(e) && dk_engine_next(e, &none) == NULL && dk_engine_pending(e) == 0);
  end_engine(e);
  e = new_engine(false);
  CHECK(engine_works(e) && threads() == tasks && dk_engine_fd(e) == -1);          /* a caller-stepped engine never has a thread */
  end_engine(e);
  WAIT_UNTIL(NULL, descriptors() == fds);                                      /* also the server's end */
}

/* an event loop may watch the descriptor before the first submit */
static void the_descriptor_before_the_first_submit (void) {
  dk_engine *e = new_engine(true);
  int fd = dk_engine_fd(e);
  CHECK(fd >= 0 && !readable(fd) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
  submit(e, get("/works"));
  WAIT_UNTIL(NULL, readable(fd));
  dk_xfer_id id;
  dk_xfer *x = dk_engine_next(e, &id);
  CHECK(x != NULL && dk_engine_fd(e) == fd && !readable(fd));
  dk_xfer_free(x);
  dk_engine_close(e);
  CHECK(dk_engine_fd(e) == -1);
  dk_engine_free(e);
}

/* readable exactly while next has a transfer: one write per batch, and the last next reads it */
static void flag_and_descriptor_say_what_next_has (void) {
  dk_xfer_id id;
  dk_engine *e = new_engine(true);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 5; i++) submit(e, get("/works"));
    for (int i = 0; i < 5; i++) {
      dk_xfer *x = wait_for_transfer(e, &id);
      dk_xfer_free(x);
    }
    CHECK(dk_engine_next(e, &id) == NULL && !dk_engine_ready(e) && !readable(dk_engine_fd(e)));
    submit(e, get("/works"));
    WAIT_UNTIL(e, dk_engine_ready(e));
    CHECK(readable(dk_engine_fd(e)));
    dk_xfer *x = dk_engine_next(e, &id);
    CHECK(x != NULL && dk_engine_pending(e) == 0);
    dk_xfer_free(x);
    CHECK(dk_engine_next(e, &id) == NULL && !dk_engine_ready(e) && !readable(dk_engine_fd(e)));
  }
  end_engine(e);
}

/* after start, the thread steps the transfers that the caller started */
static void start_takes_over_what_is_pending (void) {
  dk_xfer_id silent, id, came;
  dk_engine *e = new_engine(false);
  silent = submit(e, get("/silent"));
  int before = server_requests(&p, SILENT_ROW);
  WAIT_UNTIL(e, server_requests(&p, SILENT_ROW) == before + 1);
  submit(e, get("/works"));
  WAIT_UNTIL(e, dk_engine_ready(e));
  id = submit(e, get("/works"));
  CHECK(dk_engine_start(e) && dk_engine_start(e));
  CHECK(readable(dk_engine_fd(e)));                                       /* one was finished before */
  for (int i = 0; i < 2; i++) {
    dk_xfer *x = wait_for_transfer(e, &came);
    if (x != NULL) CHECK(x->outcome.failure.status == DK_OK && came >= id - 1);
    dk_xfer_free(x);
  }
  dk_engine_cancel(e, silent);
  dk_xfer *x = wait_for_transfer(e, &came);
  if (x != NULL) CHECK(came == silent && x->outcome.failure.status == DK_CANCELLED);
  dk_xfer_free(x);
  end_engine(e);
}

/* The pool keeps as many connections as were lately in flight plus four (architecture.md, invariant 8). libcurl 7.88 closes at most one idle connection when
 * a transfer ends, so many connections need as many later calls. */
static void the_pool_falls_back (void) {
  enum { MANY = 64, SILENT = 10 };
  dk_xfer_id silent[SILENT];
  dk_engine *e = new_engine(false);
  WAIT_UNTIL(NULL, server_open(&p) == 0);
  int before = server_requests(&p, SILENT_ROW);
  for (int i = 0; i < SILENT; i++) silent[i] = submit(e, get("/silent"));
  WAIT_UNTIL(e, server_requests(&p, SILENT_ROW) == before + SILENT);
  for (int i = 0; i < MANY; i++) submit(e, get("/works"));
  for (int i = 0; i < MANY; i++) dk_xfer_free(wait_for_transfer(e, NULL));
  CHECK(server_open(&p) <= SILENT + MANY);
  for (int i = 0; i < MANY; i++) CHECK(engine_works(e));
  WAIT_UNTIL(e, server_open(&p) <= SILENT + 1 + 4);
  for (int i = 0; i < SILENT; i++) dk_engine_cancel(e, silent[i]);
  for (int i = 0; i < SILENT; i++) dk_xfer_free(wait_for_transfer(e, NULL));
  CHECK(engine_works(e));
  WAIT_UNTIL(e, server_open(&p) <= 1 + 4);
  end_engine(e);
}

/* A host takes a batch of finished transfers, and then submits as many. In between none runs, and their connections stay. */
static void the_pool_stays_between_batches (void) {
  enum { MANY = 64, ROUNDS = 20 };
  dk_engine *e = new_engine(true);
  int accepted = server_accepted(&p), requests = server_requests(&p, WORKS_ROW);
  for (int i = 0; i < MANY; i++) submit(e, get("/works"));
  for (int round = 1; round <= ROUNDS; round++) {
    WAIT_UNTIL(NULL, server_requests(&p, WORKS_ROW) == requests + round * MANY);
    for (int i = 0; i < MANY; i++) {
      dk_xfer_free(wait_for_transfer(e, NULL));
      submit(e, get("/works"));
    }
  }
  CHECK(server_accepted(&p) - accepted <= MANY);
  for (int i = 0; i < MANY; i++) dk_xfer_free(wait_for_transfer(e, NULL));
  end_engine(e);
}

static void several_engines_in_one_process (void) {
  enum { ENGINES = 4 };
  dk_engine *engines[ENGINES];
  for (int i = 0; i < ENGINES; i++) engines[i] = new_engine(i % 2);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < ENGINES; i++) submit(engines[i], get("/works"));
    for (int i = 0; i < ENGINES; i++) {
      dk_xfer *x = wait_for_transfer(engines[i], NULL);
      if (x != NULL) CHECK(x->outcome.failure.status == DK_OK);
      dk_xfer_free(x);
    }
  }
  end_engine(engines[1]);                                                 /* the others continue */
  CHECK(engine_works(engines[0]) && engine_works(engines[3]));
  end_engine(engines[3]);
  CHECK(engine_works(engines[2]) && engine_works(engines[0]));
  end_engine(engines[0]);
  end_engine(engines[2]);
}

static void on_signal (int number) { (void)number; }

/* Ctrl-C works: the wait returns early with false, and the thread never gets the signal */
static void a_signal_ends_a_wait (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    const struct sigaction action = {.sa_handler = on_signal};
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    const struct itimerval again = {.it_interval = {.tv_usec = 300000}, .it_value = {.tv_usec = 300000}}, never = {0};
    dk_engine *e = new_engine(threaded);
    int before = server_requests(&p, SILENT_ROW);
    submit(e, get("/silent"));
    WAIT_UNTIL(e, server_requests(&p, SILENT_ROW) == before + 1);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &again, NULL);                                 /* repeated, because one may come before the wait */
    double start = dk_now();
    CHECK(!dk_engine_wait(e, 1000));
    CHECK(dk_now() - start < 500);                                        /* otherwise it slept until the end */
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &usual, NULL);
    end_engine(e);
  }
}

/* Our sockets and our event descriptor; not libcurl's own socket pair for wake-ups. */
static bool is_ours (int fd) {
  struct sockaddr_storage address;
  char path[64], target[64] = "";
  socklen_t size = sizeof address;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return (getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.ss_family != AF_UNIX) ||
         (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "[eventfd]") != NULL);
}

static void descriptors_close_on_exec (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    int count = 0;
    dk_engine *e = new_engine(threaded);
    CHECK(engine_works(e));                                                      /* its connection stays open */
    for (int fd = 0; fd < 256; fd++) {
      if (!is_ours(fd)) continue;
      count++;
      CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    CHECK(count >= 3 + threaded);                                         /* the listener, both ends of the connection, and the event descriptor */
    end_engine(e);
  }
}

static atomic_int signals;
static void on_users_signal (int number) {
  (void)number;
  atomic_fetch_add(&signals, 1);
}

/* main blocks the signal in all threads of this program, so only the engine's thread could get it */
static void the_thread_takes_no_signal (void) {
  const struct sigaction action = {.sa_handler = on_users_signal}, usual = {.sa_handler = SIG_DFL};
  sigset_t users, pending;
  int number = 0;
  sigemptyset(&users);
  sigaddset(&users, SIGUSR1);
  sigaction(SIGUSR1, &action, NULL);
  pthread_sigmask(SIG_UNBLOCK, &users, NULL);
  dk_engine *e = new_engine(true);
  CHECK(engine_works(e));                                                        /* the thread runs */
  pthread_sigmask(SIG_BLOCK, &users, NULL);
  kill(getpid(), SIGUSR1);
  for (int i = 0; i < 10; i++) CHECK(engine_works(e));                           /* the thread would get it here */
  CHECK(atomic_load(&signals) == 0 && sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
  if (sigismember(&pending, SIGUSR1) == 1) sigwait(&users, &number);
  sigaction(SIGUSR1, &usual, NULL);
  end_engine(e);
}

int main (void) {
  static const check_test tests[] = {
    {"ids_never_come_twice", ids_never_come_twice},
    {"nothing_is_there_before_the_first_submit", nothing_is_there_before_the_first_submit},
    {"the_descriptor_before_the_first_submit", the_descriptor_before_the_first_submit},
    {"flag_and_descriptor_say_what_next_has", flag_and_descriptor_say_what_next_has},
    {"start_takes_over_what_is_pending", start_takes_over_what_is_pending},
    {"the_pool_falls_back", the_pool_falls_back},
    {"the_pool_stays_between_batches", the_pool_stays_between_batches},
    {"several_engines_in_one_process", several_engines_in_one_process},
    {"a_signal_ends_a_wait", a_signal_ends_a_wait},
    {"descriptors_close_on_exec", descriptors_close_on_exec},
    {"the_thread_takes_no_signal", the_thread_takes_no_signal},
  };
  sigset_t users;
  sigemptyset(&users);
  sigaddset(&users, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &users, NULL);
  server_start(&p, rows);
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return ended;
}
