/* ascii.h - comparison of ASCII text without regard to case. strncasecmp depends on the locale. */
#ifndef DK_ASCII_H
#define DK_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char dk_ascii_lower (char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* True: the first length bytes are equal, apart from the case of letters. A NUL ends the comparison. */
static inline bool dk_ascii_equal (const char *a, const char *b, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (dk_ascii_lower(a[i]) != dk_ascii_lower(b[i])) return false;
    if (a[i] == '\0') return true;
  }
  return true;
}

#endif
