/* sigpipe.h - a guard against SIGPIPE while a libcurl before 7.87 writes: its TLS writes without MSG_NOSIGNAL. */
#ifndef DK_SIGPIPE_H
#define DK_SIGPIPE_H

#include <stdbool.h>

typedef struct {
  bool blocked;                  /* by dk_sigpipe_block */
  unsigned long before[128 / sizeof(long)];           /* the thread's signal mask, a sigset_t */
} dk_sigpipe_guard;

/* Blocks SIGPIPE in this thread, unless one is pending. */
void dk_sigpipe_block (dk_sigpipe_guard *guard);

/* Discards a SIGPIPE that was raised since, and restores the mask. One that was pending before stays pending. */
void dk_sigpipe_unblock (dk_sigpipe_guard *guard);

#endif
