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

/* From the first submit on (from now, if there was one), a separate thread steps the engine; a second call changes nothing.
 * False: no thread or no descriptor is left. */
bool dk_engine_start (dk_engine *engine);

/* Starts a transfer. The engine owns x until dk_engine_next returns it. 0: the caller keeps x, because the engine is closed or
 * used in a forked child (dk_engine_forked), or no memory or descriptor is left. */
dk_xfer_id dk_engine_submit (dk_engine *engine, dk_xfer *x);

/* True in a forked child, if the parent submitted first: the engine belongs to the parent. */
bool dk_engine_forked (const dk_engine *engine);

/* Cancels a transfer; asynchronous: dk_engine_next still returns it. An id that is gone is allowed. */
void dk_engine_cancel (dk_engine *engine, dk_xfer_id id);

/* A finished transfer, which the caller owns again; NULL: none. The last one clears the flag and the descriptor. */
dk_xfer *dk_engine_next (dk_engine *engine, dk_xfer_id *id);

/* Waits until dk_engine_next has a transfer, at most so many seconds. It may return false early (a signal): check your clock.
 * Steps, or sleeps in poll(2) if a thread steps; never waits on a condition variable, because Ctrl-C must still work. */
bool dk_engine_wait (dk_engine *engine, double seconds);

/* True: dk_engine_next has a transfer. An atomic flag for frame loops to check. */
bool dk_engine_ready (const dk_engine *engine);

/* Transfers submitted and not yet returned by dk_engine_next. */
int dk_engine_pending (const dk_engine *engine);

/* Readable while dk_engine_next has a transfer, if a thread steps the engine; else -1. The engine closes it. */
int dk_engine_fd (const dk_engine *engine);

/* Bytes sent, to send, received, to receive. 0: no such transfer is pending. */
int dk_engine_progress (dk_engine *engine, dk_xfer_id id, uint64_t up_down[4]);

/* Aborts all transfers, joins the thread and frees all that it owns; a second call changes nothing. In a forked child it frees
 * nothing: the engine belongs to the parent. */
void dk_engine_close (dk_engine *engine);

/* Frees a closed engine. NULL is allowed. */
void dk_engine_free (dk_engine *engine);

#endif
