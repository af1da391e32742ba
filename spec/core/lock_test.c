/* lock_test.c - one holder at a time, in this process and others; a dead one holds nothing. */
#define _GNU_SOURCE              /* mkdtemp */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lock.h"

static char folder[] = "/tmp/lock_test.XXXXXX";
static char path[64];
static dk_failure failure;

static bool take (dk_lock *lock, double seconds) {
  bool taken;
  dk_lock_init(lock);
  return CHECK(dk_lock_take(lock, path, seconds, &taken, &failure) == DK_OK) && taken;
}

static bool stands (void) { return access(path, F_OK) == 0; }

/* what run gives, in a process of its own */
static int in_child (int (*run) (void)) {
  int status;
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) _exit(run());
  if (waitpid(child, &status, 0) != child) abort();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_it (void) {
  dk_lock lock;
  return take(&lock, 0);         /* and dies with it, where it got it */
}

static void has_one_holder (void) {
  dk_lock one, two;
  CHECK(take(&one, 0) && stands());
  CHECK(!take(&two, 0));
  CHECK(in_child(try_it) == 0);
  dk_lock_release(&two);         /* never held */
  CHECK(!take(&two, 0));
  dk_lock_release(&one);
  CHECK(!stands());
  CHECK(take(&two, 0));
  dk_lock_release(&one);         /* a second time */
  CHECK(in_child(try_it) == 0);
  dk_lock_release(&two);
}

static void is_free_when_its_holder_died (void) {
  dk_lock lock;
  CHECK(in_child(try_it) == 1);
  CHECK(stands());
  CHECK(take(&lock, 0));
  dk_lock_release(&lock);
  CHECK(!stands());
}

static dk_lock inherited;

static int release_inherited (void) {
  dk_lock_release(&inherited);
  return 0;
}

static void stays_where_a_forked_child_lets_go_of_its_copy (void) {
  dk_lock lock;
  CHECK(take(&inherited, 0));
  CHECK(in_child(release_inherited) == 0);
  CHECK(stands() && !take(&lock, 0));
  dk_lock_release(&inherited);
  CHECK(take(&lock, 0));
  dk_lock_release(&lock);
}

static void is_given_back_though_a_forked_child_has_a_copy (void) {
  dk_lock held, lock;
  int wire[2];
  if (pipe(wire) != 0) abort();
  CHECK(take(&held, 0));
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(wire[1]);
    _exit(read(wire[0], &byte, 1) != 0);                       /* until we are done */
  }
  dk_lock_release(&held);
  CHECK(take(&lock, 0));
  dk_lock_release(&lock);
  close(wire[0]);
  close(wire[1]);
  waitpid(child, NULL, 0);
}

/* each of them adds one to a number in a file, which only works one at a time */
static int count_up (void) {
  char number[80];
  snprintf(number, sizeof number, "%s/number", folder);
  for (int i = 0; i < 200; i++) {
    dk_lock lock;
    if (!take(&lock, 60)) return 1;
    int n = 0;
    FILE *file = fopen(number, "r");
    if (file != NULL && fscanf(file, "%d", &n) != 1) return 2;
    if (file != NULL) fclose(file);
    file = fopen(number, "w");
    if (file == NULL) return 3;
    fprintf(file, "%d", n + 1);
    fclose(file);
    dk_lock_release(&lock);
  }
  return 0;
}

static void lets_none_in_between (void) {
  enum { CHILDREN = 4 };
  pid_t children[CHILDREN];
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    if (children[i] == 0) _exit(count_up());
  }
  for (int i = 0; i < CHILDREN; i++) {
    int status;
    waitpid(children[i], &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  char number[80];
  int n = 0;
  snprintf(number, sizeof number, "%s/number", folder);
  FILE *file = fopen(number, "r");
  CHECK(file != NULL && fscanf(file, "%d", &n) == 1 && n == CHILDREN * 200);
  if (file != NULL) fclose(file);
  unlink(number);
}

static void tells_why_it_cannot_be (void) {
  dk_lock lock;
  bool taken = true;
  dk_lock_init(&lock);
  CHECK(dk_lock_take(&lock, "/proc/none/lock", 0, &taken, &failure) == DK_FILE && !taken);
  CHECK(lock.path == NULL && lock.fd == -1);
  if (symlink("number", path) != 0) abort();
  CHECK(dk_lock_take(&lock, path, 0, &taken, &failure) == DK_FILE && !taken);   /* a link could lead anywhere */
  unlink(path);
}

int main (void) {
  static const check_test tests[] = {
    {"has_one_holder", has_one_holder},
    {"is_free_when_its_holder_died", is_free_when_its_holder_died},
    {"stays_where_a_forked_child_lets_go_of_its_copy", stays_where_a_forked_child_lets_go_of_its_copy},
    {"is_given_back_though_a_forked_child_has_a_copy", is_given_back_though_a_forked_child_has_a_copy},
    {"lets_none_in_between", lets_none_in_between},
    {"tells_why_it_cannot_be", tells_why_it_cannot_be},
  };
  if (mkdtemp(folder) == NULL) abort();
  snprintf(path, sizeof path, "%s/lock", folder);
  int ended = CHECK_RUN(tests);
  rmdir(folder);
  return ended;
}
