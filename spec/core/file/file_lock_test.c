/* file_lock_test.c - one owner at a time, in this process and in others; a dead process holds no lock. */
#define _GNU_SOURCE              /* mkdtemp, _Fork */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "file/file_lock.h"
#include "support/check.h"

static char folder[] = "/tmp/file_lock_test.XXXXXX";
static char path[64];
static dk_failure failure;

static bool take (dk_file_lock *lock) {
  bool taken;
  dk_file_lock_init(lock);
  return CHECK(dk_file_lock_try(lock, path, &taken, &failure) == DK_OK) && taken;
}

static bool stands (void) { return access(path, F_OK) == 0; }

/* the result of run in a separate process */
static int in_child (int (*run) (void)) {
  int status;
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) _exit(run());
  if (waitpid(child, &status, 0) != child) abort();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_it (void) {
  dk_file_lock lock;
  return take(&lock);         /* it dies while it holds the lock */
}

static void has_one_holder (void) {
  dk_file_lock one, two;
  CHECK(take(&one) && stands());
  CHECK(!take(&two));
  CHECK(in_child(try_it) == 0);
  dk_file_lock_release(&two);         /* never held */
  CHECK(!take(&two));
  dk_file_lock_release(&one);
  CHECK(!stands());
  CHECK(take(&two));
  dk_file_lock_release(&one);         /* a second time */
  CHECK(in_child(try_it) == 0);
  dk_file_lock_release(&two);
}

static void is_free_when_its_holder_died (void) {
  dk_file_lock lock;
  CHECK(in_child(try_it) == 1);
  CHECK(stands());
  CHECK(take(&lock));
  dk_file_lock_release(&lock);
  CHECK(!stands());
}

/* a forked child of the owner does not hold the lock after the owner's death */
static void is_free_when_its_holder_died_though_a_forked_child_lives (void) {
  dk_file_lock lock;
  int to_child[2], to_us[2], status;
  char byte = 0;
  if (pipe(to_child) != 0 || pipe(to_us) != 0) abort();
  pid_t owner = fork();
  if (owner == 0) {
    dk_file_lock held;
    close(to_child[1]);
    if (!take(&held)) _exit(1);
    if (fork() == 0) {
      (void)!write(to_us[1], &byte, 1);
      _exit(read(to_child[0], &byte, 1) != 0);                 /* until the test ends */
    }
    pause();
  }
  if (read(to_us[0], &byte, 1) != 1) abort();
  kill(owner, SIGKILL);
  waitpid(owner, &status, 0);
  CHECK(take(&lock));
  dk_file_lock_release(&lock);
  for (int i = 0; i < 2; i++) {
    close(to_child[i]);
    close(to_us[i]);
  }
}

static dk_file_lock inherited;

static int release_inherited (void) {
  dk_file_lock_release(&inherited);
  return 0;
}

static void stays_where_a_forked_child_lets_go_of_its_copy (void) {
  dk_file_lock lock;
  CHECK(take(&inherited));
  CHECK(in_child(release_inherited) == 0);
  CHECK(stands() && !take(&lock));
  dk_file_lock_release(&inherited);
  CHECK(take(&lock));
  dk_file_lock_release(&lock);
}

#ifdef __GLIBC__
/* _Fork runs no fork handler, so the copies of the child stay open */
static void stays_where_a_child_of_bare_fork_lets_go_of_its_copy (void) {
  dk_file_lock lock;
  int status;
  CHECK(take(&inherited));
  pid_t child = _Fork();
  if (child == 0) _exit(release_inherited());
  if (waitpid(child, &status, 0) != child) abort();
  CHECK(stands() && !take(&lock));
  dk_file_lock_release(&inherited);
  CHECK(!stands());
}
#endif

/* another program removes the lock file: a second owner gets the lock, and keeps it when the first one releases its own */
static void gives_back_its_own_file_alone (void) {
  dk_file_lock one, two, three;
  CHECK(take(&one));
  unlink(path);
  CHECK(take(&two));
  dk_file_lock_release(&one);
  CHECK(stands() && !take(&three));
  dk_file_lock_release(&two);
  CHECK(!stands());
}

static bool take_in (const char *name, dk_file_lock *lock) {
  bool taken;
  dk_file_lock_init(lock);
  return CHECK(chdir(folder) == 0 && chdir(name) == 0) && CHECK(dk_file_lock_try(lock, "x.lock", &taken, &failure) == DK_OK) && taken;
}

/* the program may change to a folder that has a lock of the same name */
static void is_given_back_where_it_was_taken (void) {
  dk_file_lock one, two, three;
  int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(chdir(folder) == 0 && mkdir("one", 0700) == 0 && mkdir("two", 0700) == 0);
  CHECK(take_in("one", &one) && take_in("two", &two));
  dk_file_lock_release(&one);
  CHECK(access("../one/x.lock", F_OK) != 0 && access("x.lock", F_OK) == 0);
  CHECK(!take_in("two", &three));
  dk_file_lock_release(&two);
  CHECK(chdir(folder) == 0 && rmdir("one") == 0 && rmdir("two") == 0);
  CHECK(fchdir(before) == 0);
  close(before);
}

static void is_given_back_though_a_forked_child_has_a_copy (void) {
  dk_file_lock held, lock;
  int wire[2];
  if (pipe(wire) != 0) abort();
  CHECK(take(&held));
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(wire[1]);
    _exit(read(wire[0], &byte, 1) != 0);                       /* until the test ends */
  }
  dk_file_lock_release(&held);
  CHECK(take(&lock));
  dk_file_lock_release(&lock);
  close(wire[0]);
  close(wire[1]);
  waitpid(child, NULL, 0);
}

/* each process adds one to a number in a file; that needs the lock */
static int count_up (void) {
  char number[80];
  snprintf(number, sizeof number, "%s/number", folder);
  const struct timespec breath = {0, 1000000};
  for (int i = 0; i < 200; i++) {
    dk_file_lock lock;
    while (!take(&lock)) nanosleep(&breath, NULL);
    int n = 0;
    FILE *file = fopen(number, "r");
    if (file != NULL && fscanf(file, "%d", &n) != 1) return 2;
    if (file != NULL) fclose(file);
    file = fopen(number, "w");
    if (file == NULL) return 3;
    fprintf(file, "%d", n + 1);
    fclose(file);
    dk_file_lock_release(&lock);
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
  dk_file_lock lock;
  bool taken = true;
  dk_file_lock_init(&lock);
  CHECK(dk_file_lock_try(&lock, "/proc/none/lock", &taken, &failure) == DK_FILE && !taken);
  CHECK(lock.path == NULL && lock.fd == -1);
  if (symlink("number", path) != 0) abort();
  CHECK(dk_file_lock_try(&lock, path, &taken, &failure) == DK_FILE && !taken);   /* a link could lead anywhere */
  unlink(path);
}

int main (void) {
  static const check_test tests[] = {
    {"has_one_holder", has_one_holder},
    {"is_free_when_its_holder_died", is_free_when_its_holder_died},
    {"is_free_when_its_holder_died_though_a_forked_child_lives", is_free_when_its_holder_died_though_a_forked_child_lives},
    {"stays_where_a_forked_child_lets_go_of_its_copy", stays_where_a_forked_child_lets_go_of_its_copy},
#ifdef __GLIBC__
    {"stays_where_a_child_of_bare_fork_lets_go_of_its_copy", stays_where_a_child_of_bare_fork_lets_go_of_its_copy},
#endif
    {"gives_back_its_own_file_alone", gives_back_its_own_file_alone},
    {"is_given_back_where_it_was_taken", is_given_back_where_it_was_taken},
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
