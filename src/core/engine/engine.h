/* engine.h - libcurl's multi handle, two queues and one step; stepped by who waits, or by a thread of its own. */
#ifndef DK_ENGINE_H
#define DK_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/transfer.h"

typedef struct dk_engine dk_engine;
typedef uint64_t dk_xfer_id;                          /* never used twice; 0 is none */

/* An engine with no thread, no descriptor and no curl call yet. NULL: no memory. Ends with dk_engine_close, then dk_engine_free.
 * All functions below are for the thread that made it. */
dk_engine *dk_engine_new (void);

/* From the first submit on (from now, if there was one) a thread of its own steps; twice is once. False: no thread or no
 * descriptor could be had. */
bool dk_engine_start (dk_engine *engine);

/* Hands x over; it is the engine's until dk_engine_next gives it back. 0: x stays yours; the engine is closed, is used in a
 * forked child (dk_engine_forked), or there is no memory or no descriptor left. */
dk_xfer_id dk_engine_submit (dk_engine *engine, dk_xfer *x);

/* True in a forked child of the process that submitted first: this engine is its parent's. */
bool dk_engine_forked (const dk_engine *engine);

/* Asks for the end of a transfer; asynchronous: it still comes back. An id that is gone is fine. */
void dk_engine_cancel (dk_engine *engine, dk_xfer_id id);

/* A finished transfer, the caller's again; NULL: there is none. With the last one flag and descriptor are cleared. */
dk_xfer *dk_engine_next (dk_engine *engine, dk_xfer_id *id);

/* Waits until dk_engine_next has one, seconds at most; false may come early (a signal): look at your clock. Steps, or sleeps
 * in poll(2) where a thread steps; never on a condition variable, so that Ctrl-C comes through. */
bool dk_engine_wait (dk_engine *engine, double seconds);

/* dk_engine_next has one: an atomic flag, what a frame asks. */
bool dk_engine_ready (const dk_engine *engine);

/* Transfers submitted and not yet given back. */
int dk_engine_pending (const dk_engine *engine);

/* Readable while dk_engine_next has one, in an engine whose thread runs; else -1. The engine's. */
int dk_engine_fd (const dk_engine *engine);

/* Bytes sent, to send, received, to receive. 0: no such transfer under way. */
int dk_engine_progress (dk_engine *engine, dk_xfer_id id, uint64_t up_down[4]);

/* Aborts what runs, joins the thread, frees all transfers it holds; twice is once. In a forked child it only forgets. */
void dk_engine_close (dk_engine *engine);

/* Frees a closed engine. NULL is fine. */
void dk_engine_free (dk_engine *engine);

/* Seconds on the monotonic clock. */
double dk_now (void);

#endif
