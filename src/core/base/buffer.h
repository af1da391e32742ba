/* buffer.h - a byte buffer that grows up to a limit, and wipes its memory before it frees it. */
#ifndef DK_BUFFER_H
#define DK_BUFFER_H

#include <stddef.h>

#include "base/status.h"

typedef struct {
  char *bytes;        /* owned; NULL while nothing was added; followed by a NUL that length does not count */
  size_t length;
  size_t capacity;    /* bytes allocated */
  size_t limit;       /* the largest length */
} dk_buffer;

/* An empty buffer for at most limit bytes; cannot fail. */
void dk_buffer_init (dk_buffer *buffer, size_t limit);

/* Appends. Errors: DK_OVER_LIMIT, DK_NO_MEMORY; the buffer is unchanged then. */
dk_status dk_buffer_add (dk_buffer *buffer, const void *bytes, size_t length) __attribute__((warn_unused_result));

/* Wipes all after the first length bytes, and keeps the memory. */
void dk_buffer_truncate (dk_buffer *buffer, size_t length);

/* Wipes and frees; the buffer is empty again. */
void dk_buffer_reset (dk_buffer *buffer);

#endif
