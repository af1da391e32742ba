/* header.h - a search in a block of HTTP headers. */
#ifndef DK_HEADER_H
#define DK_HEADER_H

#include <stddef.h>

/* Finds the first header of this name and returns its value, without blanks around it; points into block. NULL: none.
 * name: without the colon, in any case. *length: of the value. */
const char *dk_header_find (const char *block, size_t block_length, const char *name, size_t *length);

#endif
