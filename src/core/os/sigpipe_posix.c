#ifndef _WIN32
#define _GNU_SOURCE              /* sigtimedwait */
#include "os/sigpipe.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "os/threads.h"

static_assert(sizeof(sigset_t) <= sizeof ((dk_sigpipe_guard *)0)->before, "the guard has no room for the mask");

static bool is_pending (void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

/* discards the pending SIGPIPE; false: a signal came first */
static bool discard (const sigset_t *set) {
#ifdef __APPLE__
  int number;                    /* it is pending, and blocked in this thread, so this does not wait */
  return sigwait(set, &number) == 0;
#else
  static const struct timespec no_time = {0, 0};
  return sigtimedwait(set, NULL, &no_time) >= 0 || errno != EINTR;
#endif
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
  dk_signal_mask(SIG_BLOCK, &set, (sigset_t *)guard->before);
}

void dk_sigpipe_unblock (dk_sigpipe_guard *guard) {
  sigset_t set;
  if (!guard->blocked) return;
  guard->blocked = false;
  set_to_sigpipe(&set);
  while (is_pending() && !discard(&set)) continue;
  dk_signal_mask(SIG_SETMASK, (sigset_t *)guard->before, NULL);
}
#endif
