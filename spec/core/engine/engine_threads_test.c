/* engine_threads_test.c - random calls of started engines, for ThreadSanitizer; and exit() while they run.
 *
 *   engine_threads_test [SEED] */
#define _GNU_SOURCE              /* for test_server.h */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "support/engine_helpers.h"
#include "support/test_server.h"

enum {
  WALKERS = 3, ENGINES = 2,      /* threads; engines of each */
  TURNS = 5000,                  /* of each walker */
  MOST = 8,                      /* pending in each engine */
};

static const server_route rows[] = {
  {.path = "/works", .response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
  {.path = "/silent", .gather = 1000000},
  {.path = "/closes", .end = SERVER_CLOSE},
  {.path = "/resets", .response = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi", .end = SERVER_RESET},
  {NULL},
};
static test_server p;
static char works[64], silent[64], closes[64], resets[64];
static uint64_t seed = 1;
static atomic_int misses;        /* CHECK is for the main thread */

typedef struct {
  dk_engine *engine;
  dk_xfer_id ids[MOST], last;
  int count;
} walked;

typedef struct {
  uint64_t state;
  walked engines[ENGINES];
} walker;

static uint32_t chance (walker *w, uint32_t below) {
  w->state = w->state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(w->state >> 33) % below;
}

static void hold (bool holds, const char *what) {
  if (holds) return;
  atomic_fetch_add(&misses, 1);
  fprintf(stderr, "engine_threads_test: %s (seed %llu)\n", what, (unsigned long long)seed);
}

static void renew (walked *at, bool start_first) {
  *at = (walked){.engine = dk_engine_new()};
  hold(at->engine != NULL && (!start_first || dk_engine_start(at->engine)), "an engine starts");
}

static void submit_one (walker *w, walked *at) {
  const char *const urls[] = {works, works, works, silent, closes, resets, "http://", "http://127.0.0.1:1/"};
  static const char body[] = "{\"some\":\"bytes\"}";
  dk_failure failure;
  if (at->count == MOST) return;
  dk_request r = make_request(chance(w, 2) ? "GET" : "POST", urls[chance(w, sizeof urls / sizeof *urls)]);
  if (r.method[0] == 'P') {
    r.flags = DK_ONCE;
    r.has_body = true;
    hold(dk_buffer_add(&r.body, body, sizeof body - 1) == DK_OK, "a buffer takes a body");
  }
  if (chance(w, 8) == 0) r.limits.total = 0.001;
  dk_xfer *x = dk_xfer_new(&r, &failure);
  dk_xfer_id id = dk_engine_submit(at->engine, x);
  hold(id > at->last, "ids grow");
  at->ids[at->count++] = at->last = id;
}

static void take_one (walked *at) {
  dk_xfer_id id = 0;
  dk_xfer *x = dk_engine_next(at->engine, &id);
  int i = 0;
  if (x == NULL) return;
  while (i < at->count && at->ids[i] != id) i++;
  hold(i < at->count, "a transfer comes back that is under way, and once");
  hold((x->outcome.failure.status == DK_OK) == (x->outcome.fate == DK_ANSWERED), "a fate fits its failure");
  if (i < at->count) at->ids[i] = at->ids[--at->count];
  dk_xfer_free(x);
}

/* the connection is closed at once */
static void listen_and_connect (walked *at) {
  dk_failure failure;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = dk_engine_listen(at->engine, "/tmp", &failure);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  hold(path != NULL, "an engine listens");
  if (path != NULL) snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  hold(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN, "a client connects");
  close(fd);
}

static dk_xfer_id some_id (walker *w, const walked *at) {
  return at->count > 0 && chance(w, 10) > 0 ? at->ids[chance(w, (uint32_t)at->count)] : (dk_xfer_id)chance(w, 100);
}

static void one_turn (walker *w) {
  walked *at = &w->engines[chance(w, ENGINES)];
  uint64_t counts[4];
  uint32_t what = chance(w, 100);
  if (what < 35) submit_one(w, at);
  else if (what < 55) dk_engine_cancel(at->engine, some_id(w, at));
  else if (what < 75) take_one(at);
  else if (what < 85) dk_engine_wait(at->engine, chance(w, 3) / 1000.0);
  else if (what < 92) dk_engine_progress(at->engine, some_id(w, at), counts);
  else if (what < 95) hold(dk_engine_pending(at->engine) == at->count, "pending counts what is under way");
  else if (what < 97) hold(dk_engine_alarm(at->engine, (int)chance(w, 4) / 1000.0 - 0.001), "an alarm is set or removed");
  else if (what < 98) listen_and_connect(at);
  else if (what < 99) hold(dk_engine_start(at->engine), "start again is fine");
  else {
    dk_engine_close(at->engine);
    dk_engine_free(at->engine);
    renew(at, chance(w, 2));
  }
}

static void *walk (void *arg) {
  walker *w = arg;
  for (int i = 0; i < ENGINES; i++) renew(&w->engines[i], true);
  for (int i = 0; i < TURNS; i++) one_turn(w);
  for (int i = 0; i < ENGINES; i++) {                                     /* one engine is emptied, one is closed with its transfers */
    walked *at = &w->engines[i];
    double end = dk_now() + PATIENCE;
    for (int n = 0; i == 0 && n < at->count; n++) dk_engine_cancel(at->engine, at->ids[n]);
    while (i == 0 && at->count > 0 && dk_now() < end) {
      dk_engine_wait(at->engine, 0.1);
      take_one(at);
    }
    hold(i > 0 || at->count == 0, "all that was cancelled comes back");
    dk_engine_close(at->engine);
    dk_engine_free(at->engine);
  }
  return NULL;
}

static void random_walk (void) {
  static walker walkers[WALKERS];
  pthread_t threads[WALKERS];
  for (int i = 0; i < WALKERS; i++) {
    walkers[i].state = seed * 1000 + (uint64_t)i;
    CHECK(pthread_create(&threads[i], NULL, walk, &walkers[i]) == 0);
  }
  for (int i = 0; i < WALKERS; i++) pthread_join(threads[i], NULL);
  CHECK(atomic_load(&misses) == 0);
}

static int count_threads (void) {
  int count = 0;
  DIR *dir = opendir("/proc/self/task");
  if (dir == NULL) abort();
  while (readdir(dir) != NULL) count++;
  closedir(dir);
  return count;
}

void __tsan_init (void) __attribute__((weak));         /* defined under ThreadSanitizer, which starts its own thread late */
static int threads_before;

/* Registered before the engine's first submit, so it runs after the engine's exit handler. A joined thread may still be listed for
 * a moment. */
static void is_alone_at_exit (void) {
  double end = dk_now() + PATIENCE;
  while (count_threads() > threads_before && dk_now() < end) wait_turn(NULL);
  if (count_threads() > threads_before) _exit(1);
}

/* The child of the test below: exit() without close, with or without a finished transfer. */
_Noreturn static void leave (bool early, const char *url_works, const char *url_silent) {
  static dk_engine *engine;                                               /* static, so that a leak checker finds it */
  threads_before = count_threads() + (__tsan_init != NULL);
  atexit(is_alone_at_exit);
  engine = dk_engine_new();
  CHECK(dk_engine_start(engine));
  for (int i = 0; i < MOST; i++) submit(engine, i % 2 ? make_request("GET", url_silent) : make_post(url_works, "{}"));
  WAIT_UNTIL(engine, early || dk_engine_ready(engine));
  exit(check_misses > 0);
}

/* exit() joins the thread before libcurl and OpenSSL are cleaned up */
static void exit_with_transfers_under_way (void) {
  for (int round = 0; round < 10; round++) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "leave", round % 2 ? "early" : "late", works, silent, (char *)NULL);
      _exit(127);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

int main (int argc, char **argv) {
  static const check_test tests[] = {
    {"random_walk", random_walk},
    {"exit_with_transfers_under_way", exit_with_transfers_under_way},
  };
  if (argc == 4) leave(strcmp(argv[1], "early") == 0, argv[2], argv[3]);
  alarm(60);                                                              /* seconds; a deadlock is a failure */
  if (argc > 1) seed = strtoull(argv[1], NULL, 10);
  server_start(&p, rows);
  snprintf(works, sizeof works, "%s", server_url(&p, "/works"));
  snprintf(silent, sizeof silent, "%s", server_url(&p, "/silent"));
  snprintf(closes, sizeof closes, "%s", server_url(&p, "/closes"));
  snprintf(resets, sizeof resets, "%s", server_url(&p, "/resets"));
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return ended;
}
