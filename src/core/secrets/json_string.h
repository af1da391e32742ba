/* json_string.h - escapes text for a JSON string. */
#ifndef DK_JSON_TEXT_H
#define DK_JSON_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* True: the text begins with '{' and ends with '}', so a field can be added before its end. */
bool dk_json_is_object (const char *text, size_t length);

/* Appends value with the escapes that JSON requires, without the quotes. Errors: DK_OVER_LIMIT, DK_NO_MEMORY. */
dk_status dk_json_escape (dk_buffer *out, const char *value, size_t length) __attribute__((warn_unused_result));

#endif
