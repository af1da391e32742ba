/* ascii.h - text compared without case, the same in every locale. */
#ifndef DK_ASCII_H
#define DK_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char dk_lower (char letter) { return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter; }

/* whether text begins with the first length bytes of start; a text that ends before does not */
static inline bool dk_begins (const char *text, const char *start, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (dk_lower(text[i]) != dk_lower(start[i]) || text[i] == '\0') return false;
  }
  return true;
}

#endif
