/* handle_callbacks.h - libcurl's callbacks of a transfer. They record data, and never call libcurl. */
#ifndef DK_HANDLE_CALLBACKS_H
#define DK_HANDLE_CALLBACKS_H

#include "handle/handle_internal.h"

/* Sets the callbacks on a new handle; a refusal is in handle->options. */
void dk_handle_set_callbacks (dk_handle *handle);

/* The pause check of an upload (dk_form_set_pause_check). arg: the dk_handle. sent: bytes given to libcurl before. */
bool dk_handle_must_pause (void *arg, size_t sent);

#endif
