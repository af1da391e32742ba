/* engine_listen_test.c - the listener: bytes on a unix socket for a host that can only connect, and the socket's private folder.
 *
 *   engine_listen_test exit|killed FOLDER    a child process of the tests: listens in the folder, then ends */
#define _GNU_SOURCE              /* for test_server.h, RTLD_NEXT, mkdtemp */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "engine/listener.h"
#include "support/engine_fixture.h"
#include "support/libcurl_hook.h"

/* ---- what the thread did ---- */

static atomic_int removed, sleeps, sleeps_at_removal;     /* finished transfers; calls of poll, and those before the last removal */

HOOK CURLMcode curl_multi_remove_handle (CURLM *multi, CURL *easy) {
  static CURLMcode (*real) (CURLM *, CURL *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_remove_handle");
  atomic_store(&sleeps_at_removal, atomic_load(&sleeps));
  atomic_fetch_add(&removed, 1);
  return real(multi, easy);
}

HOOK CURLMcode curl_multi_poll (CURLM *multi, struct curl_waitfd fds[], unsigned count, int milliseconds, int *ready) {
  static CURLMcode (*real) (CURLM *, struct curl_waitfd[], unsigned, int, int *);
  if (real == NULL) HOOK_REAL(real, "curl_multi_poll");
  atomic_fetch_add(&sleeps, 1);
  return real(multi, fds, count, milliseconds, ready);
}

/* Children of these tests fork with a thread; by default ThreadSanitizer ends them. */
const char *__tsan_default_options (void);
const char *__tsan_default_options (void) { return "die_after_fork=0"; }

/* ---- helpers ---- */

static char folder[] = "/tmp/engine_listen_test.XXXXXX";

/* an engine that listens in the folder */
static dk_engine *new_listener (const char **path) {
  dk_failure failure = {DK_OK, ""};
  dk_engine *e = new_engine(false);
  *path = dk_engine_listen(e, folder, &failure);
  if (!CHECK(*path != NULL)) fprintf(stderr, "  %s\n", failure.text);
  return e;
}

static int connect_to (const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

/* waits for bytes, and returns their number; 0: the engine closed the connection; -1: nothing came */
static int read_bytes (int fd) {
  char bytes[64];
  struct pollfd event = {.fd = fd, .events = POLLIN};
  if (poll(&event, 1, (int)(PATIENCE * 1000)) != 1) return -1;
  ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  for (ssize_t i = 0; i < n; i++) CHECK(bytes[i] == 'w');
  return n < 0 && errno == ECONNRESET ? 0 : (int)n;
}

static bool is_empty (int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static int drain (dk_engine *e) {
  dk_xfer_id id;
  int count = 0;
  for (dk_xfer *x; (x = dk_engine_next(e, &id)) != NULL; count++) dk_xfer_free(x);
  return count;
}

/* entries of the test's folder */
static int count_entries (void) {
  int count = -2;                                      /* . and .. */
  DIR *dir = opendir(folder);
  if (dir == NULL) abort();
  while (readdir(dir) != NULL) count++;
  closedir(dir);
  return count;
}

static bool exists (const char *path) {
  struct stat info;
  return lstat(path, &info) == 0;
}

/* ---- bytes ---- */

static void one_byte_for_each_batch (void) {
  enum { BATCH = 20 };
  const char *path;
  dk_engine *e = new_listener(&path);
  int fd = connect_to(path);
  for (int round = 0; round < 5; round++) {
    int before = atomic_load(&removed);
    for (int i = 0; i < BATCH; i++) submit(e, get("/works"));
    WAIT_UNTIL(NULL, atomic_load(&removed) == before + BATCH);
    WAIT_UNTIL(NULL, atomic_load(&sleeps) > atomic_load(&sleeps_at_removal));       /* by then the last one is published */
    CHECK(read_bytes(fd) == 1 && is_empty(fd) && drain(e) == BATCH);
  }
  close(fd);
  end_engine(e);
}

static void a_byte_after_connect_if_something_finished_before (void) {
  const char *path;
  dk_engine *e = new_listener(&path);
  submit(e, get("/works"));
  WAIT_UNTIL(NULL, dk_engine_ready(e));
  for (int i = 0; i < 3; i++) {
    int fd = connect_to(path);
    CHECK(read_bytes(fd) == 1);
    close(fd);
  }
  CHECK(drain(e) == 1);
  end_engine(e);
}

static void a_new_connection_after_the_old_one (void) {
  const char *path;
  dk_engine *e = new_listener(&path);
  for (int i = 0; i < 300; i++) {
    int fd = connect_to(path);
    CHECK(send(fd, "what a client sends is dropped", 30, MSG_NOSIGNAL) == 30);
    submit(e, get("/works"));
    if (!CHECK(read_bytes(fd) == 1)) break;
    CHECK(drain(e) == 1);
    close(fd);
  }
  end_engine(e);
}

/* the oldest of too many connections is closed; the others get their bytes */
static void many_connections (void) {
  enum { MANY = 10 };
  int fds[MANY];
  const char *path;
  dk_engine *e = new_listener(&path);
  CHECK(dk_engine_alarm(e, 0));
  for (int i = 0; i < MANY; i++) {
    fds[i] = connect_to(path);
    CHECK(read_bytes(fds[i]) == 1);
  }
  CHECK(drain(e) == 0 && dk_engine_alarm(e, 0));
  for (int i = 0; i < MANY; i++) {
    CHECK(read_bytes(fds[i]) == (i < MANY - DK_LISTENER_CLIENTS ? 0 : 1));
    close(fds[i]);
  }
  end_engine(e);
}

static void thousands_of_bytes (void) {
  const char *path;
  dk_engine *e = new_listener(&path);
  int fd = connect_to(path);
  for (int i = 0; i < 5000; i++) {
    CHECK(dk_engine_alarm(e, 0));
    if (!CHECK(read_bytes(fd) == 1)) break;
    drain(e);
  }
  close(fd);
  end_engine(e);
}

/* a client that does not read: its socket becomes full, and the thread goes on */
static void a_client_that_does_not_read (void) {
  const char *path;
  dk_engine *e = new_listener(&path);
  int fd = connect_to(path), bytes = 0;
  CHECK(dk_engine_alarm(e, 0));
  CHECK(read_bytes(fd) == 1);                                              /* it is accepted */
  for (int i = 0; i < 5000; i++) {
    CHECK(drain(e) == 0 && dk_engine_alarm(e, 0));
    WAIT_UNTIL(NULL, dk_engine_ready(e));
  }
  drain(e);
  CHECK(engine_works(e));
  while (!is_empty(fd)) bytes += read_bytes(fd);
  CHECK(0 < bytes && bytes < 5000);                                        /* it was full */
  CHECK(dk_engine_alarm(e, 0) && read_bytes(fd) == 1);
  close(fd);
  end_engine(e);
}

/* Without a descriptor, accept fails. The thread tries again later, and does not spin. */
static void an_accept_without_a_descriptor (void) {
  const char *path;
  struct rlimit before, none;
  WAIT_UNTIL(NULL, server_open(&p) == 0);                                  /* its connections would free descriptors later */
  dk_engine *e = new_listener(&path);
  CHECK(dk_engine_alarm(e, 0));
  WAIT_UNTIL(NULL, dk_engine_ready(e));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  int lowest = dup(fd);
  close(lowest);
  none.rlim_cur = (rlim_t)lowest;
  setrlimit(RLIMIT_NOFILE, &none);
  int slept = atomic_load(&sleeps);
  double begin = dk_now();
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  WAIT_UNTIL(NULL, atomic_load(&sleeps) >= slept + 6);
  CHECK(dk_now() - begin > 0.2);                                           /* at least a few pauses */
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(read_bytes(fd) == 1);
  close(fd);
  end_engine(e);
}

/* ---- the folder ---- */

static void a_private_folder_until_close (void) {
  struct stat info;
  char parent[128];
  const char *path;
  dk_failure failure;
  dk_engine *e = new_listener(&path);
  snprintf(parent, sizeof parent, "%.*s", (int)(strlen(path) - 2), path);
  CHECK(strncmp(path, folder, sizeof folder - 1) == 0 && strcmp(path + strlen(parent), "/s") == 0);
  CHECK(stat(parent, &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 07777) == 0700);
  CHECK(stat(path, &info) == 0 && S_ISSOCK(info.st_mode));
  CHECK(dk_engine_listen(e, "/none", &failure) == path);                   /* it listens already */
  end_engine(e);
  CHECK(count_entries() == 0);
}

static void check_refusal (const char *where, const char *reason) {
  dk_failure failure = {DK_OK, ""};
  dk_engine *e = new_engine(true);
  CHECK(dk_engine_listen(e, where, &failure) == NULL && failure.status == DK_FILE);
  if (!CHECK(strstr(failure.text, where) != NULL && strstr(failure.text, reason) != NULL)) fprintf(stderr, "  %s\n", failure.text);
  CHECK(engine_works(e));
  end_engine(e);
}

static void a_folder_that_is_not_usable (void) {
  char name[256];
  snprintf(name, sizeof name, "%s/none", folder);
  check_refusal(name, strerror(ENOENT));
  check_refusal("/dev/null", strerror(ENOTDIR));
  snprintf(name, sizeof name, "%s/%0100d", folder, 0);
  CHECK(mkdir(name, 0700) == 0);
  check_refusal(name, "too long for a unix socket");
  rmdir(name);
  snprintf(name, sizeof name, "%s/read-only", folder);
  CHECK(mkdir(name, 0500) == 0);
  pid_t child = fork();
  if (child == 0) {                                                        /* root may write anywhere */
    dk_failure failure = {DK_OK, ""};
    if (geteuid() == 0 && (chown(name, 65534, 65534) != 0 || chmod(folder, 0755) != 0 || setuid(65534) != 0)) _exit(2);
    dk_engine *e = dk_engine_new();
    _exit(dk_engine_listen(e, name, &failure) == NULL && strstr(failure.text, strerror(EACCES)) != NULL ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  rmdir(name);
  CHECK(count_entries() == 0);
}

/* ---- the end of processes ---- */

_Noreturn static void leave (const char *how, const char *where) {
  static dk_engine *volatile e;                                            /* so that a leak checker finds it */
  dk_failure failure;
  e = dk_engine_new();
  const char *path = dk_engine_listen(e, where, &failure);
  if (path == NULL || !exists(path)) _exit(3);
  if (strcmp(how, "killed") == 0) raise(SIGKILL);
  exit(0);
}

static int run_child (const char *how) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "leave", how, folder, (char *)NULL);
    _exit(127);
  }
  waitpid(child, &status, 0);
  return status;
}

static void exit_removes_it (void) {
  int status = run_child("exit");
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0 && count_entries() == 0);
}

static void a_forked_child_leaves_it (void) {
  const char *path;
  dk_engine *e = new_listener(&path);
  for (int i = 0; i < 2; i++) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
      if (i == 0) end_engine(e);
      exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0 && exists(path));
  }
  int fd = connect_to(path);
  submit(e, get("/works"));
  CHECK(read_bytes(fd) == 1);
  close(fd);
  end_engine(e);
  CHECK(count_entries() == 0);
}

/* makes FOLDER/devkit4ai-ID-NAME, and a socket in it that listens; returns the socket */
static int make_folder (long id, const char *name, char path[108]) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  snprintf(path, 108, "%s/devkit4ai-%ld-%s", folder, id, name);
  CHECK(mkdir(path, 0700) == 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%.100s/s", path);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
  return fd;
}

static void remove_folder (const char *path) {
  char name[128];
  snprintf(name, sizeof name, "%s/s", path);
  unlink(name);
  rmdir(path);
}

/* what a killed process left is removed by the next engine that listens there, and nothing else is */
static void a_killed_process_leaves_it_for_the_next (void) {
  char served[108], alive[108], linked[108];
  const char *path, *other;
  dk_engine *first = new_listener(&path);
  pid_t gone = fork();
  if (gone == 0) _exit(0);
  waitpid(gone, NULL, 0);
  int fd = make_folder(gone, "served", served);                            /* as in another container */
  close(make_folder(getppid(), "alive", alive));
  snprintf(linked, sizeof linked, "%s/devkit4ai-%ld-linked", folder, (long)gone);
  CHECK(symlink(alive, linked) == 0);
  int status = run_child("killed");
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && count_entries() == 5);
  dk_engine *second = new_listener(&other);
  CHECK(count_entries() == 5 && exists(path) && exists(other) && exists(served) && exists(alive) && exists(linked));
  close(fd);
  end_engine(second);
  second = new_listener(&other);
  CHECK(count_entries() == 4 && !exists(served));
  end_engine(second);
  end_engine(first);
  unlink(linked);
  remove_folder(alive);
  CHECK(count_entries() == 0);
}

int main (int argc, char **argv) {
  static const check_test tests[] = {
    {"one_byte_for_each_batch", one_byte_for_each_batch},
    {"a_byte_after_connect_if_something_finished_before", a_byte_after_connect_if_something_finished_before},
    {"a_new_connection_after_the_old_one", a_new_connection_after_the_old_one},
    {"many_connections", many_connections},
    {"thousands_of_bytes", thousands_of_bytes},
    {"a_client_that_does_not_read", a_client_that_does_not_read},
    {"an_accept_without_a_descriptor", an_accept_without_a_descriptor},
    {"a_private_folder_until_close", a_private_folder_until_close},
    {"a_folder_that_is_not_usable", a_folder_that_is_not_usable},
    {"exit_removes_it", exit_removes_it},
    {"a_forked_child_leaves_it", a_forked_child_leaves_it},
    {"a_killed_process_leaves_it_for_the_next", a_killed_process_leaves_it_for_the_next},
  };
  alarm(240);                                          /* seconds; a hang is a failure */
  if (argc == 3) leave(argv[1], argv[2]);
  if (mkdtemp(folder) == NULL) return 1;
  server_start(&p, rows);
  int ended = CHECK_RUN(tests);
  server_stop(&p);
  return rmdir(folder) != 0 || ended;
}
