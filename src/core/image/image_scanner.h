/* image_scanner.h - checks whether an image is complete, by its format's own end; reads it piece by piece as it arrives. */
#ifndef DK_IMAGE_END_H
#define DK_IMAGE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "image/image_kind.h"

typedef struct {
  char signature[DK_IMAGE_SIGNATURE];                 /* the first bytes */
  uint64_t length;               /* bytes so far */
  uint64_t skip;                 /* bytes before the next field */
  unsigned char field[8];        /* the field that is being read */
  size_t filled;                 /* bytes of it so far */
  bool is_last, has_ended;       /* the skipped bytes are the last part; the end came */
} dk_image_scanner;

/* An image without a byte so far. */
void dk_image_scanner_init (dk_image_scanner *image);

/* Reads the next bytes. */
void dk_image_scanner_add (dk_image_scanner *image, const char *bytes, size_t length);

/* Checks that the image is complete. Its end is the IEND chunk of a PNG, the EOI marker (FFD9) of a JPEG, or the length in the RIFF
 * header of a WebP. Bytes after the end are allowed, as in decoders: cameras and proxies append some.
 * Errors: DK_PROTOCOL (not an image), DK_IMAGE_INCOMPLETE. */
dk_status dk_image_scanner_check (const dk_image_scanner *image, dk_failure *failure);

#endif
