/* stepper.h - libcurl's multi handle with its running transfers: starts them, runs libcurl, checks limits, collects the finished.
 * Thread: one at a time, the caller's or the engine's thread. */
#ifndef DK_STEPPER_H
#define DK_STEPPER_H

#include "engine/queue.h"
#include "handle/handle.h"

typedef struct {
  CURLM *multi;                  /* owned; NULL: not open */
  CURLSH *share;                 /* owned; TLS sessions, for all handles */
  struct { dk_xfer **list; int count, capacity; } running;               /* the transfers are borrowed until they are finished */
  struct { dk_handle **list; int count, capacity; } idle;                /* owned; handles for the next transfers */
  dk_queue finished;             /* of this step; for the engine to take */
  double clock;                  /* stepped time: seconds without the host's own pauses (architecture.md, invariant 2) */
  double last_step;              /* when the last step began, on the monotonic clock */
  double slept;                  /* seconds in dk_stepper_sleep since then */
  double next_limit;             /* stepped time at which a transfer may reach a limit */
  int at_once;                   /* transfers that the caller lately had at once; between two batches fewer run */
  long max_connections;          /* as set on multi */
  bool upload_paused;            /* an upload waits until libcurl has read */
  uint64_t pooled_login;         /* a hash of the proxy login whose connections are pooled; 0: no proxy yet */
} dk_stepper;

/* Makes an empty stepper, without a libcurl call; cannot fail. */
void dk_stepper_init (dk_stepper *s);

/* Makes libcurl's handles. False: no memory or no descriptor; it may be called again. */
bool dk_stepper_open (dk_stepper *s);

/* Ends all transfers as cancelled, into finished, and frees libcurl's handles. */
void dk_stepper_close (dk_stepper *s);

/* Frees its lists. Not one libcurl call. */
void dk_stepper_free (dk_stepper *s);

/* Begins a step: advances the stepped time. at_once: transfers that the caller lately had at once; so many connections are kept. */
void dk_stepper_begin_step (dk_stepper *s, int at_once);

/* Starts a transfer. A transfer that can't start is finished. */
void dk_stepper_start (dk_stepper *s, dk_xfer *x);

/* Ends a transfer as cancelled, if it runs. */
void dk_stepper_cancel (dk_stepper *s, dk_xfer *x);

/* Runs libcurl once, then checks the limits. */
void dk_stepper_run (dk_stepper *s);

/* Sleeps until libcurl has work, a limit may be reached, curl_multi_wakeup is called, one of the count descriptors has an event,
 * or the seconds are over. fds: borrowed; NULL: none. */
void dk_stepper_sleep (dk_stepper *s, double seconds, struct curl_waitfd fds[], unsigned count);

/* Seconds as whole milliseconds for poll(2). */
int dk_poll_timeout (double seconds);

#endif
