/* sigpipe.h - keeps SIGPIPE from the program while a libcurl before 7.87 writes: its TLS writes without MSG_NOSIGNAL. */
#ifndef DK_SIGPIPE_H
#define DK_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

typedef struct {
  bool held;
  sigset_t before;               /* the thread's mask */
} dk_sigpipe;

/* Blocks SIGPIPE in this thread. */
void dk_sigpipe_hold (dk_sigpipe *guard);

/* Takes a SIGPIPE that came since, and restores the mask. One that was pending before stays pending. */
void dk_sigpipe_release (dk_sigpipe *guard);

#endif
