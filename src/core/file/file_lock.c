#define _GNU_SOURCE              /* O_CLOEXEC, flock, strdup */
#include "file/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the locks that the process holds: a forked child closes its copies, which would keep them after the owner's death ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static dk_lock *all;

static void before_fork (void) { pthread_mutex_lock(&mutex); }

static void after_fork (void) { pthread_mutex_unlock(&mutex); }

static void close_copies (void) {
  for (; all != NULL; all = all->next) {
    close(all->fd);
    all->fd = -1;
  }
  after_fork();
}

static void watch_forks (void) { pthread_atfork(before_fork, after_fork, close_copies); }

static void enlist (dk_lock *lock) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  pthread_mutex_lock(&mutex);
  lock->next = all;
  all = lock;
  pthread_mutex_unlock(&mutex);
}

static void delist (const dk_lock *lock) {
  pthread_mutex_lock(&mutex);
  dk_lock **at = &all;
  while (*at != NULL && *at != lock) at = &(*at)->next;
  if (*at != NULL) *at = lock->next;
  pthread_mutex_unlock(&mutex);
}

/* ---- one lock ---- */

void dk_lock_init (dk_lock *lock) {
  *lock = (dk_lock){.fd = -1};
}

/* Somebody may have removed the file, and another one may have made it anew: then what we hold is nobody's lock. */
static bool still_stands (int fd, const char *path) {
  struct stat held, named;
  return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* the descriptor that holds the lock; -1: no, and errno tells, EWOULDBLOCK where somebody else has it */
static int try_once (const char *path) {
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
    if (still_stands(fd, path)) return fd;
    close(fd);
  } while (true);
}

/* a copy of the path from the root on, or of the path as it is where nobody knows our folder; NULL: no memory */
static char *absolute (const char *path) {
  char folder[PATH_MAX];
  if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL) return strdup(path);
  size_t room = strlen(folder) + 1 + strlen(path) + 1;
  char *copy = malloc(room);
  if (copy != NULL) snprintf(copy, room, "%s/%s", folder, path);
  return copy;
}

dk_status dk_lock_take (dk_lock *lock, const char *path, bool *taken, dk_failure *failure) {
  *taken = false;
  lock->path = absolute(path);
  if (lock->path == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  lock->fd = try_once(path);
  int reason = errno;
  if (lock->fd >= 0) {
    lock->owner = getpid();
    enlist(lock);
    *taken = true;
    return DK_OK;
  }
  dk_lock_release(lock);
  return reason == EWOULDBLOCK ? DK_OK : dk_fail_file(failure, path, reason);
}

void dk_lock_release (dk_lock *lock) {
  if (lock->fd >= 0) delist(lock);
  if (lock->fd >= 0 && lock->owner == getpid()) {
    if (still_stands(lock->fd, lock->path)) unlink(lock->path);
    flock(lock->fd, LOCK_UN);    /* by name: a copy of the descriptor in a child of _Fork would keep it */
  }
  if (lock->fd >= 0) close(lock->fd);
  free(lock->path);
  dk_lock_init(lock);
}
