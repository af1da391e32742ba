/* digest.h - a digest that shows whether bytes changed. Its keys are known: it protects against accidents, not against attacks. */
#ifndef DK_DIGEST_H
#define DK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  DK_DIGEST_DIGITS = 32,                   /* of its hexadecimal text */
  DK_DIGEST_TEXT = DK_DIGEST_DIGITS + 1    /* bytes of the text with the NUL */
};

typedef struct { uint64_t words[2]; } dk_digest;

/* The digest of bytes: SipHash-2-4 with two fixed keys. The same on every machine. */
dk_digest dk_digest_of (const void *bytes, size_t length);

/* The first word of the digest alone, for half the work. */
uint64_t dk_digest_first_word (const void *bytes, size_t length);

/* Its text: 32 hexadecimal digits. */
void dk_digest_format (const dk_digest *digest, char text[DK_DIGEST_TEXT]);

/* The first 16 digits of the text; no NUL follows them. */
void dk_digest_format_word (uint64_t word, char digits[DK_DIGEST_DIGITS / 2]);

/* Reads what dk_digest_format wrote; false: the text is something else. */
bool dk_digest_parse (const char *text, size_t length, dk_digest *digest);

#endif
