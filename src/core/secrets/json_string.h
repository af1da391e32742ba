/* json_string.h - text as it stands between the quotes of a JSON string. */
#ifndef DK_JSON_TEXT_H
#define DK_JSON_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* True: the text begins with '{' and ends with '}', so that a field can be added at its end. */
bool dk_json_is_object (const char *text, size_t length);

/* Appends value as JSON writes it, with no more escapes than it must have. Errors: DK_OVER_CAP, DK_NO_MEMORY. */
dk_status dk_json_add (dk_buffer *out, const char *value, size_t length) __attribute__((warn_unused_result));

#endif
