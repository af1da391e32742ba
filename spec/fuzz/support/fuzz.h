/* fuzz.h - helpers of the fuzz targets: a property that must hold, and the pieces of an input. A target is a function that libFuzzer
 * calls again and again with new inputs. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Ends the run if the condition does not hold; libFuzzer then saves the input. */
#define HOLDS(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

__attribute__((noreturn)) static inline void fuzz_fail (const char *condition, const char *file, int line) {
  fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
  abort();
}

/* The rest of an input. */
typedef struct { const char *at; size_t left; } fuzz_input;

static inline fuzz_input fuzz_open (const uint8_t *data, size_t size) { return (fuzz_input){(const char *)data, size}; }

/* The next bytes in their own block, so that a sanitizer detects reads past them. The caller frees it. */
static inline char *fuzz_bytes (fuzz_input *input, size_t length) {
  char *bytes = malloc(length);                      /* a block, even if length is 0 */
  if (length > 0) memcpy(bytes, input->at, length);
  input->at += length;
  input->left -= length;
  return bytes;
}

/* The bytes up to the next NUL or the end, as a string. The caller frees it. */
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
