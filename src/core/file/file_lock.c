#define _GNU_SOURCE              /* O_CLOEXEC, flock, strdup */
#include "file/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/threads.h"

/* ---- the locks that the process holds: a forked child closes its copies, which would hold them after the owner's death ---- */

static dk_mutex mutex = DK_MUTEX_INIT;                /* guards held */
static dk_file_lock *held;

static void before_fork (void) { dk_mutex_lock(&mutex); }

static void after_fork (void) { dk_mutex_unlock(&mutex); }

static void close_copies (void) {
  for (; held != NULL; held = held->next) {
    close(held->fd);
    held->fd = -1;
  }
  after_fork();
}

static void add_fork_handlers (void) { (void)dk_at_fork(before_fork, after_fork, close_copies); }

static void add_held (dk_file_lock *lock) {
  static dk_once once = DK_ONCE_INIT;
  dk_run_once(&once, add_fork_handlers);
  dk_mutex_lock(&mutex);
  lock->next = held;
  held = lock;
  dk_mutex_unlock(&mutex);
}

static void remove_held (const dk_file_lock *lock) {
  dk_mutex_lock(&mutex);
  dk_file_lock **at = &held;
  while (*at != NULL && *at != lock) at = &(*at)->next;
  if (*at != NULL) *at = lock->next;
  dk_mutex_unlock(&mutex);
}

/* ---- one lock ---- */

void dk_file_lock_init (dk_file_lock *lock) {
  *lock = (dk_file_lock){.fd = -1};
}

/* Another program may have removed or replaced the file; then our descriptor locks nothing. */
static bool has_path (int fd, const char *path) {
  struct stat opened, named;
  return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* the descriptor that holds the lock; -1: errno, EWOULDBLOCK if another owner holds it */
static int open_locked (const char *path) {
  int fd;
  do {
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      int reason = errno;
      close(fd);
      errno = reason;
      return -1;
    }
    if (has_path(fd, path)) return fd;
    close(fd);
  } while (true);
}

/* a copy of the absolute path, or of the path as it is if the current folder is unknown; NULL: no memory */
static char *absolute (const char *path) {
  char folder[PATH_MAX];
  if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL) return strdup(path);
  size_t room = strlen(folder) + 1 + strlen(path) + 1;
  char *copy = (char *)malloc(room);
  if (copy != NULL) snprintf(copy, room, "%s/%s", folder, path);
  return copy;
}

dk_status dk_file_lock_try (dk_file_lock *lock, const char *path, bool *locked, dk_failure *failure) {
  *locked = false;
  lock->path = absolute(path);
  if (lock->path == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  lock->fd = open_locked(path);
  int reason = errno;
  if (lock->fd >= 0) {
    lock->owner = getpid();
    add_held(lock);
    *locked = true;
    return DK_OK;
  }
  dk_file_lock_release(lock);
  return reason == EWOULDBLOCK ? DK_OK : dk_fail_errno(failure, path, reason);
}

void dk_file_lock_release (dk_file_lock *lock) {
  if (lock->fd >= 0) remove_held(lock);
  if (lock->fd >= 0 && lock->owner == getpid()) {
    if (has_path(lock->fd, lock->path)) unlink(lock->path);
    flock(lock->fd, LOCK_UN);    /* not by close alone: a child of _Fork has a copy of the descriptor */
  }
  if (lock->fd >= 0) close(lock->fd);
  free(lock->path);
  dk_file_lock_init(lock);
}
