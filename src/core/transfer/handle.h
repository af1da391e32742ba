/* handle.h - libcurl's easy handle, re-used as it is: a transfer's request goes on it, its answer comes off. */
#ifndef DK_HANDLE_H
#define DK_HANDLE_H

#include "transfer/transfer.h"

/* A handle with what stays the same set on it. share: borrowed. NULL: failure tells (DK_NO_MEMORY; DK_UNSUPPORTED: libcurl
 * does not take an option that is needed for safety). Thread: the stepper's, as all below. */
dk_handle *dk_handle_new (CURLSH *share, dk_failure *failure);
void dk_handle_free (dk_handle *handle);
CURL *dk_handle_easy (dk_handle *handle);
dk_xfer *dk_handle_xfer (CURL *easy);

/* Puts the request on the handle. On failure x->failure tells, and the handle is free again. */
dk_status dk_handle_load (dk_handle *handle, dk_xfer *x);

/* Lets an upload go on that paused (x->any_paused). True: libcurl has not asked for its next piece yet, which it may put
 * off until it has sent what it holds; then it pauses again. */
bool dk_handle_resume (dk_handle *handle);

/* Takes what came off the handle, settles the transfer's fate, finishes the file; the handle is free again.
 * code: libcurl's result. stopped: DK_OK, or why the engine itself ended it (DK_TIMEOUT, DK_CANCELLED), told by text. */
void dk_handle_unload (dk_handle *handle, CURLcode code, dk_status stopped, const char *text);

#endif
