#include "file/file_lock.h"

#include <errno.h>
#include <stdlib.h>

#include "os/file.h"
#include "os/os.h"
#include "os/threads.h"

/* ---- the locks that the process holds: a forked child closes its copies, which would hold them after the owner's death ---- */

static dk_mutex mutex = DK_MUTEX_INIT;                /* guards held */
static dk_file_lock *held;

static void before_fork (void) { dk_mutex_lock(&mutex); }

static void after_fork (void) { dk_mutex_unlock(&mutex); }

static void close_copies (void) {
  for (; held != NULL; held = held->next) {
    dk_file_close(held->fd);
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

dk_status dk_file_lock_try (dk_file_lock *lock, const char *path, bool *locked, dk_failure *failure) {
  *locked = false;
  lock->path = dk_file_absolute(path);
  if (lock->path == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  lock->fd = dk_file_open_locked(path);
  int reason = errno;
  if (lock->fd >= 0) {
    lock->owner = dk_os_process_id();
    add_held(lock);
    *locked = true;
    return DK_OK;
  }
  dk_file_lock_release(lock);
  return reason == EWOULDBLOCK ? DK_OK : dk_fail_errno(failure, path, reason);
}

void dk_file_lock_release (dk_file_lock *lock) {
  if (lock->fd >= 0) remove_held(lock);
  if (lock->fd >= 0 && lock->owner == dk_os_process_id()) dk_file_unlock(lock->fd, lock->path);
  if (lock->fd >= 0) dk_file_close(lock->fd);
  free(lock->path);
  dk_file_lock_init(lock);
}
