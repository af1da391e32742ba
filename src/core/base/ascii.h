/* ascii.h - comparison of text that a protocol defines in ASCII. strncasecmp is not used: it depends on the locale. */
#ifndef DK_ASCII_H
#define DK_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char dk_lower (char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* True: the first length bytes are the same but for the case of letters. A NUL in one of the texts ends the comparison. */
static inline bool dk_same_letters (const char *a, const char *b, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (dk_lower(a[i]) != dk_lower(b[i])) return false;
    if (a[i] == '\0') return true;
  }
  return true;
}

#endif
