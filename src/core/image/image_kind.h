/* image_kind.h - the format of an image, by its first bytes; not by its file name, and not by libcurl's guess. */
#ifndef DK_IMAGE_KIND_H
#define DK_IMAGE_KIND_H

#include <stddef.h>

enum { DK_IMAGE_SIGNATURE = 12 };      /* first bytes that show the format */

/* "jpeg", "png", "webp", or NULL for anything else; static. */
const char *dk_image_kind (const void *bytes, size_t length);

/* Its content type, "image/..."; NULL for anything else; static. */
const char *dk_image_content_type (const void *bytes, size_t length);

#endif
