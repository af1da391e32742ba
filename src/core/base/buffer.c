#define _DEFAULT_SOURCE          /* explicit_bzero */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 512 };       /* bytes; most answers of this API fit */

void dk_buffer_init (dk_buffer *buffer, size_t cap) {
  *buffer = (dk_buffer){.cap = cap};
}

/* realloc would leave the old copy behind unwiped */
static dk_status grow (dk_buffer *buffer, size_t room) {
  char *bytes = malloc(room);
  if (bytes == NULL) return DK_NO_MEMORY;
  if (buffer->bytes != NULL) {
    memcpy(bytes, buffer->bytes, buffer->length);
    explicit_bzero(buffer->bytes, buffer->length);
    free(buffer->bytes);
  }
  buffer->bytes = bytes;
  buffer->room = room;
  return DK_OK;
}

dk_status dk_buffer_add (dk_buffer *buffer, const void *bytes, size_t length) {
  size_t need = buffer->length + length + 1;
  if (length > buffer->cap - buffer->length) return DK_OVER_CAP;
  if (need > buffer->room) {
    size_t room = buffer->room * 2 > FIRST_ROOM ? buffer->room * 2 : FIRST_ROOM;
    dk_status status = grow(buffer, room > need ? room : need);
    if (status != DK_OK) return status;
  }
  if (length > 0) memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  buffer->bytes[buffer->length] = '\0';
  return DK_OK;
}

void dk_buffer_cut (dk_buffer *buffer, size_t length) {
  if (buffer->bytes != NULL) explicit_bzero(buffer->bytes + length, buffer->length - length);
  buffer->length = length;
}

void dk_buffer_reset (dk_buffer *buffer) {
  if (buffer->bytes != NULL) explicit_bzero(buffer->bytes, buffer->length);
  free(buffer->bytes);
  dk_buffer_init(buffer, buffer->cap);
}
