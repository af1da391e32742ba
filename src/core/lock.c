#define _GNU_SOURCE              /* O_CLOEXEC, flock, strdup */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 2 };               /* milliseconds between two tries */

void dk_lock_init (dk_lock *lock) {
  *lock = (dk_lock){.fd = -1};
}

/* the last holder may have removed the file between our open and our flock: then what we hold is nobody's lock */
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

dk_status dk_lock_take (dk_lock *lock, const char *path, double seconds, bool *taken, dk_failure *failure) {
  const struct timespec step = {.tv_nsec = STEP * 1000000L};
  *taken = false;
  lock->path = strdup(path);
  if (lock->path == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  for (double left = seconds; (lock->fd = try_once(path)) < 0 && errno == EWOULDBLOCK && left > 0; left -= STEP / 1000.0) nanosleep(&step, NULL);
  int reason = errno;
  if (lock->fd >= 0) {
    lock->owner = getpid();
    *taken = true;
    return DK_OK;
  }
  dk_lock_release(lock);
  return reason == EWOULDBLOCK ? DK_OK : dk_fail(failure, DK_FILE, DK_PATH ": %s", path, strerror(reason));
}

void dk_lock_release (dk_lock *lock) {
  if (lock->fd >= 0 && lock->owner == getpid()) {
    unlink(lock->path);
    flock(lock->fd, LOCK_UN);    /* by name: a forked child's copy of the descriptor would keep it */
  }
  if (lock->fd >= 0) close(lock->fd);
  free(lock->path);
  dk_lock_init(lock);
}
