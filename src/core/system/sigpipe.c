#define _GNU_SOURCE              /* sigtimedwait */
#include "system/sigpipe.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/threads.h"

static bool is_pending (void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void set_to_sigpipe (sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

void dk_sigpipe_block (dk_sigpipe_guard *guard) {
  sigset_t set;
  guard->blocked = !is_pending();   /* the host blocks a pending one, and a second one changes nothing */
  if (!guard->blocked) return;
  set_to_sigpipe(&set);
  dk_signal_mask(SIG_BLOCK, &set, &guard->before);
}

void dk_sigpipe_unblock (dk_sigpipe_guard *guard) {
  static const struct timespec no_time = {0, 0};
  sigset_t set;
  if (!guard->blocked) return;
  guard->blocked = false;
  set_to_sigpipe(&set);
  while (is_pending() && sigtimedwait(&set, NULL, &no_time) < 0 && errno == EINTR) continue;
  dk_signal_mask(SIG_SETMASK, &guard->before, NULL);
}
