/* engine.h - runs transfers on libcurl's multi handle, in steps: by the waiting caller, or by a thread of its own. */
#ifndef DK_ENGINE_H
#define DK_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/transfer.h"

typedef struct dk_engine dk_engine;
typedef uint64_t dk_xfer_id;                          /* never reused; 0: none */

/* An engine without a thread, a descriptor or a curl call. NULL: no memory. End it with dk_engine_close, then dk_engine_free.
 * Thread: the one that made it, for all functions below. */
dk_engine *dk_engine_new (void);

/* From the first submit, fd, listen or alarm on (from now, if there was one), a separate thread steps the engine; a second call
 * changes nothing.
 * False: no thread or no descriptor is left, or the library was built without threads (DEVKIT4AI_NO_THREADS); then dk_engine_wait
 * steps the engine. */
bool dk_engine_start (dk_engine *engine);

/* Starts a transfer. The engine owns x until dk_engine_next returns it. 0: the caller keeps x, because the engine is closed or
 * used in a forked child (dk_engine_forked), or no memory or descriptor is left. */
dk_xfer_id dk_engine_submit (dk_engine *engine, dk_xfer *x);

/* True in a forked child, if the parent submitted first, or called fd, listen or alarm: the engine belongs to the parent. */
bool dk_engine_forked (const dk_engine *engine);

/* Cancels a transfer; asynchronous: dk_engine_next still returns it. An id that is gone is allowed. */
void dk_engine_cancel (dk_engine *engine, dk_xfer_id id);

/* A finished transfer, which the caller owns again; NULL: none. The last one clears the flag and the descriptor, and so does NULL. */
dk_xfer *dk_engine_next (dk_engine *engine, dk_xfer_id *id);

/* Waits until dk_engine_next has a transfer or the alarm's time came, at most so many seconds; 0 or less: it never waits. It may
 * return false early (a signal): check your clock.
 * Steps, or sleeps in poll(2) if a thread steps; never waits on a condition variable, because Ctrl-C must still work. */
bool dk_engine_wait (dk_engine *engine, double seconds);

/* True: dk_engine_next has a transfer, or the alarm's time came. An atomic flag for frame loops to check. */
bool dk_engine_ready (const dk_engine *engine);

/* Transfers submitted and not yet returned by dk_engine_next. */
int dk_engine_pending (const dk_engine *engine);

/* A descriptor that is readable while dk_engine_ready is true. Call dk_engine_start first: this call starts the thread, if it does
 * not run yet. -1: dk_engine_start was not called, the engine is closed or forked, or no memory, descriptor or thread is left.
 * The engine closes the descriptor; until then it stays the same. */
int dk_engine_fd (dk_engine *engine);

/* The same signal for a host that can only connect to a socket (nginx). Starts the thread, which listens on a unix stream socket in
 * a new folder of mode 0700 in folder, and sends a byte to each connection for each batch of finished transfers, and for the alarm.
 * A new connection gets a byte at once while dk_engine_ready is true. At most four connections are open: a further one replaces
 * the oldest. A byte may come when nothing is finished any more.
 * folder: borrowed for the call. Returns the socket's absolute path, which is valid until dk_engine_close; a second call returns
 * the same path. NULL: failure has the reason. DK_FILE: the folder does not exist or can't be written, or its path is too long for
 * a unix socket (108 bytes). DK_NO_MEMORY: no memory, descriptor or thread is left, or the engine is closed or forked, or
 * the library was built without threads.
 * dk_engine_close and exit() remove the socket and its folder. If a signal killed the process, the next call in the same folder
 * removes them. */
const char *dk_engine_listen (dk_engine *engine, const char *folder, dk_failure *failure);

/* Sets the flag and wakes the host after the given seconds, though no transfer may be finished: a timer for hosts without one.
 * There is one alarm: a new call replaces it, and a negative or infinite number removes it. A replaced alarm may still wake once.
 * dk_engine_next clears the flag also for an alarm, so check your clock after you took all transfers, not before.
 * Without a thread, dk_engine_wait returns for the alarm. False: the engine is closed or forked, or no memory, descriptor or thread
 * is left. */
bool dk_engine_alarm (dk_engine *engine, double seconds);

/* Bytes sent, to send, received, to receive. 0: no such transfer is pending. */
int dk_engine_progress (dk_engine *engine, dk_xfer_id id, uint64_t up_down[4]);

/* Aborts all transfers, joins the thread and frees all that it owns; a second call changes nothing. In a forked child it frees
 * nothing: the engine belongs to the parent. */
void dk_engine_close (dk_engine *engine);

/* Frees a closed engine. NULL is allowed. */
void dk_engine_free (dk_engine *engine);

#endif
