/* file_lock.h - a lock between processes: flock(2) on a file that stands there only while somebody holds it. The system frees it
 * when its owner dies, and the file that then stays is taken over by the next. */
#ifndef DK_LOCK_H
#define DK_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/status.h"

typedef struct dk_lock dk_lock;

struct dk_lock {
  int fd;                        /* -1: not held; so it is in a forked child */
  pid_t owner;                   /* for a child of _Fork, which tells nobody */
  char *path;                    /* absolute, for the program may change its folder */
  dk_lock *next;                 /* another one that the process holds */
};

/* Not held; what dk_lock_release leaves behind. */
void dk_lock_init (dk_lock *lock);

/* Tries once to take the lock; never waits. path: of the file; copied. lock: stays where it is until it is released.
 * *taken false, with DK_OK: somebody else has it. Errors: DK_FILE and DK_DISK (the file can't be made), DK_NO_MEMORY. */
dk_status dk_lock_take (dk_lock *lock, const char *path, bool *taken, dk_failure *failure);

/* Gives it back; twice is once. */
void dk_lock_release (dk_lock *lock);

#endif
