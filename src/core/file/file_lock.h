/* file_lock.h - a lock between processes: on a file that exists while the lock is held. The system frees the lock of a
 * process that dies; the next owner takes over the file that it left. */
#ifndef DK_LOCK_H
#define DK_LOCK_H

#include <stdbool.h>

#include "base/status.h"

typedef struct dk_file_lock dk_file_lock;

struct dk_file_lock {
  int fd;                        /* -1: not held, as in a forked child */
  int owner;                     /* the process that locked it: _Fork runs no fork handler */
  char *path;                    /* owned; absolute, because the program may change its folder */
  dk_file_lock *next;            /* in the list of locks that the process holds */
};

/* Not held; so is a released lock. */
void dk_file_lock_init (dk_file_lock *lock);

/* Tries once to get the lock; never waits. path: of the file; copied. lock: must not move in memory until it is released.
 * *locked false, with DK_OK: another owner holds it. Errors: DK_FILE and DK_DISK (the file can't be made), DK_NO_MEMORY. */
dk_status dk_file_lock_try (dk_file_lock *lock, const char *path, bool *locked, dk_failure *failure);

/* Frees the lock, and removes its file; a second call changes nothing. */
void dk_file_lock_release (dk_file_lock *lock);

#endif
