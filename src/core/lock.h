/* lock.h - a lock between processes: flock(2) on a file that stands there only while somebody holds it. The system frees it
 * when its owner dies, and the file that then stays is taken over by the next. */
#ifndef DK_LOCK_H
#define DK_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "status.h"

typedef struct {
  int fd;                        /* -1: not held */
  pid_t owner;                   /* a forked child's copy is none */
  char *path;
} dk_lock;

/* Not held; what dk_lock_release leaves behind. */
void dk_lock_init (dk_lock *lock);

/* Tries to take the lock, for some seconds if there is another holder. path: of the file; copied. *taken false, with DK_OK:
 * somebody else still has it. Errors: DK_FILE (the file can't be made), DK_NO_MEMORY. */
dk_status dk_lock_take (dk_lock *lock, const char *path, double seconds, bool *taken, dk_failure *failure);

/* Gives it back; twice is once. */
void dk_lock_release (dk_lock *lock);

#endif
