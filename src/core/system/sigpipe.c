#define _GNU_SOURCE              /* sigtimedwait */
#include "system/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

static bool is_pending (void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void only_sigpipe (sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

void dk_sigpipe_hold (dk_sigpipe *guard) {
  sigset_t set;
  guard->held = !is_pending();   /* a pending one is blocked by the host, and a second one changes nothing */
  if (!guard->held) return;
  only_sigpipe(&set);
  pthread_sigmask(SIG_BLOCK, &set, &guard->before);
}

void dk_sigpipe_release (dk_sigpipe *guard) {
  static const struct timespec no_time = {0, 0};
  sigset_t set;
  if (!guard->held) return;
  guard->held = false;
  only_sigpipe(&set);
  while (is_pending() && sigtimedwait(&set, NULL, &no_time) < 0 && errno == EINTR) continue;
  pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
