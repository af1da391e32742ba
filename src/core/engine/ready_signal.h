/* ready_signal.h - tells the host that the engine has something for it: a flag, a descriptor, a listener, and an alarm.
 *
 * The engine's lock guards set and clear, so that the flag and the descriptor agree. */
#ifndef DK_READY_SIGNAL_H
#define DK_READY_SIGNAL_H

#include <stdbool.h>

#include "engine/listener.h"
#include "os/network.h"

typedef struct {
  DK_ATOMIC(bool) is_set;
  dk_wakeup wakeup;              /* readable while is_set */
  DK_ATOMIC(dk_listener *) listener;                  /* owned; NULL: none. It never changes until close */
  DK_ATOMIC(double) alarm;       /* when to set the signal without a transfer, on the monotonic clock; HUGE_VAL: never */
} dk_ready_signal;

/* Makes a signal that is clear, without a descriptor. */
void dk_ready_signal_init (dk_ready_signal *signal);

/* Makes the descriptor. False: none is left. A second call changes nothing. */
bool dk_ready_signal_open (dk_ready_signal *signal);

/* Makes the listener, in a private folder in parent. Returns its path, which is valid until close; NULL: failure has the reason.
 * If there is a listener, returns its path. */
const char *dk_ready_signal_listen (dk_ready_signal *signal, const char *parent, dk_failure *failure);

/* Sets the signal. If it was clear, wakes the host: one wake-up per batch. Thread: the engine's, once there is a listener. */
void dk_ready_signal_set (dk_ready_signal *signal);

void dk_ready_signal_clear (dk_ready_signal *signal);

/* Replaces the alarm: its time is the given seconds from now; HUGE_VAL: none. True: it is earlier than the one before, so the
 * engine's thread must not sleep on. */
bool dk_ready_signal_set_alarm (dk_ready_signal *signal, double seconds);

/* True: the alarm's time has come, so the caller must set the signal. Removes the alarm. now: on the monotonic clock. */
bool dk_ready_signal_take_alarm (dk_ready_signal *signal, double now);

/* Seconds that the engine may sleep: until the alarm or the listener's next turn; HUGE_VAL: no limit. */
double dk_ready_signal_max_sleep (dk_ready_signal *signal);

/* Removes the listener's files, but closes nothing: for exit(). */
void dk_ready_signal_remove_files (dk_ready_signal *signal);

/* Closes the descriptor and frees the listener. */
void dk_ready_signal_close (dk_ready_signal *signal);

#endif
