/* buffer.h - bytes that grow up to a cap; what they held is wiped before the memory goes back. */
#ifndef DK_BUFFER_H
#define DK_BUFFER_H

#include <stddef.h>

#include "base/status.h"

typedef struct {
  char *bytes;        /* NULL while empty; always followed by a NUL that length does not count */
  size_t length;
  size_t room;
  size_t cap;
} dk_buffer;

/* An empty buffer that takes at most cap bytes; cannot fail. */
void dk_buffer_init (dk_buffer *buffer, size_t cap);

/* Appends. Errors: DK_OVER_CAP, DK_NO_MEMORY; the buffer then holds what it held. */
dk_status dk_buffer_add (dk_buffer *buffer, const void *bytes, size_t length) __attribute__((warn_unused_result));

/* Wipes what stands behind the first length bytes, and keeps the memory for the next. */
void dk_buffer_cut (dk_buffer *buffer, size_t length);

/* Wipes and frees; the buffer is empty again. */
void dk_buffer_reset (dk_buffer *buffer);

#endif
