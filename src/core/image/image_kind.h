/* image_kind.h - which picture it is, by its first bytes; a name's ending and curl's own guess are not asked. */
#ifndef DK_IMAGE_KIND_H
#define DK_IMAGE_KIND_H

#include <stddef.h>

enum { DK_IMAGE_HEAD = 12 };      /* bytes that decide */

/* "jpeg", "png", "webp", or NULL for anything else; static. */
const char *dk_image_kind (const void *bytes, size_t length);

/* The content type of such a picture, "image/..."; NULL for anything else; static. */
const char *dk_image_type (const void *bytes, size_t length);

#endif
