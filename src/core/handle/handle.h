/* handle.h - a reusable libcurl easy handle: takes the request of a transfer, and gives its response and outcome. */
#ifndef DK_HANDLE_H
#define DK_HANDLE_H

#include "transfer/transfer.h"

/* Makes a handle with the options that never change. share: borrowed, and must outlive the handle. NULL: failure says why
 * (DK_NO_MEMORY; DK_UNSUPPORTED: libcurl refused an option that is needed for safety).
 * Thread: the stepping thread, for all functions below. */
dk_handle *dk_handle_new (CURLSH *share, dk_failure *failure);

/* NULL is allowed. */
void dk_handle_free (dk_handle *handle);

/* The easy handle, which stays the handle's. */
CURL *dk_handle_easy (dk_handle *handle);

/* The transfer that runs on an easy handle; borrowed. */
dk_xfer *dk_handle_xfer (CURL *easy);

/* Sets the request of x on the handle, which borrows x until dk_handle_finish. On failure x->outcome says why, and the handle
 * is free again. */
dk_status dk_handle_prepare (dk_handle *handle, dk_xfer *x);

/* Continues a paused upload. True: it is still paused, because libcurl has not asked for its next piece. */
bool dk_handle_resume_upload (dk_handle *handle);

/* Ends the transfer: writes its outcome, and completes or removes its file; the handle is free again. code: libcurl's result.
 * stopped: DK_OK, or why the engine ended it (DK_TIMEOUT, DK_CANCELLED), with text for a person. */
void dk_handle_finish (dk_handle *handle, CURLcode code, dk_status stopped, const char *text);

#endif
