/* fuzz.h - what the fuzz targets share: a property that must hold, and the pieces of an input. A target is one function that
 * libFuzzer calls with bytes of its making, over and over. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Ends the run where the condition does not hold; libFuzzer then keeps the input. */
#define HOLDS(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

__attribute__((noreturn)) static inline void fuzz_fail (const char *condition, const char *file, int line) {
  fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
  abort();
}

/* What is left of an input. */
typedef struct { const char *at; size_t left; } fuzz_input;

static inline fuzz_input fuzz_open (const uint8_t *data, size_t size) { return (fuzz_input){(const char *)data, size}; }

/* So many of the next bytes in a block of their own, so that a sanitizer sees who reads past them; the caller's. */
static inline char *fuzz_bytes (fuzz_input *input, size_t length) {
  char *bytes = malloc(length);                      /* a block even where length is 0 */
  if (length > 0) memcpy(bytes, input->at, length);
  input->at += length;
  input->left -= length;
  return bytes;
}

/* What stands before the next NUL, or before the end, as a string of its own; the caller's. */
static inline char *fuzz_text (fuzz_input *input) {
  const char *nul = input->left > 0 ? memchr(input->at, '\0', input->left) : NULL;
  if (nul != NULL) return fuzz_bytes(input, (size_t)(nul - input->at) + 1);
  size_t length = input->left;
  char *text = calloc(1, length + 1);
  if (length > 0) memcpy(text, input->at, length);
  input->at += length;
  input->left = 0;
  return text;
}

/* The next byte; 0 at the end. */
static inline unsigned fuzz_byte (fuzz_input *input) {
  if (input->left == 0) return 0;
  input->left--;
  return (unsigned char)*input->at++;
}

#endif
