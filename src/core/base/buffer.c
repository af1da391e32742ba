#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "os/os.h"

enum { FIRST_CAPACITY = 512 };       /* bytes; most responses of this API fit */

void dk_buffer_init (dk_buffer *buffer, size_t limit) {
  *buffer = (dk_buffer){.limit = limit};
}

/* not realloc: it would free the old copy without wiping it */
static dk_status grow (dk_buffer *buffer, size_t capacity) {
  char *bytes = (char *)malloc(capacity);
  if (bytes == NULL) return DK_NO_MEMORY;
  if (buffer->bytes != NULL) {
    memcpy(bytes, buffer->bytes, buffer->length);
    dk_wipe(buffer->bytes, buffer->length);
    free(buffer->bytes);
  }
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return DK_OK;
}

dk_status dk_buffer_add (dk_buffer *buffer, const void *bytes, size_t length) {
  size_t needed = buffer->length + length + 1;
  if (length > buffer->limit - buffer->length) return DK_OVER_LIMIT;
  if (needed > buffer->capacity) {
    size_t capacity = buffer->capacity * 2 > FIRST_CAPACITY ? buffer->capacity * 2 : (size_t)FIRST_CAPACITY;
    dk_status status = grow(buffer, capacity > needed ? capacity : needed);
    if (status != DK_OK) return status;
  }
  if (length > 0) memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  buffer->bytes[buffer->length] = '\0';
  return DK_OK;
}

void dk_buffer_truncate (dk_buffer *buffer, size_t length) {
  if (buffer->bytes != NULL) dk_wipe(buffer->bytes + length, buffer->length - length);
  buffer->length = length;
}

void dk_buffer_reset (dk_buffer *buffer) {
  if (buffer->bytes != NULL) dk_wipe(buffer->bytes, buffer->length);
  free(buffer->bytes);
  dk_buffer_init(buffer, buffer->limit);
}
