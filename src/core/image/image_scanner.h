/* image_scanner.h - whether an image came whole, by its format's own end; it is followed piece by piece as it comes. */
#ifndef DK_IMAGE_END_H
#define DK_IMAGE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image_kind.h"
#include "base/status.h"

typedef struct {
  char head[DK_IMAGE_HEAD];      /* first bytes, which tell the kind */
  uint64_t length;               /* bytes that came */
  uint64_t skip;                 /* bytes to come before the next field */
  unsigned char field[8];        /* the field under way */
  size_t filled;                 /* bytes of it */
  bool is_last, has_ended;       /* what is skipped is the last part; the end came */
} dk_image;

/* Nothing came yet. */
void dk_image_init (dk_image *image);

/* Follows the next bytes. */
void dk_image_add (dk_image *image, const char *bytes, size_t length);

/* Sees that all of an image came. The end is the IEND chunk of a PNG, the EOI marker (FFD9) of a JPEG, and the length in the
 * RIFF head of a WebP. Bytes behind the end are allowed, as decoders allow them: cameras and proxies append some.
 * Errors: DK_PROTOCOL (no image), DK_IMAGE_CUT. */
dk_status dk_image_check (const dk_image *image, dk_failure *failure);

#endif
