/* digest.h - a digest that shows whether bytes changed. Its keys are known: it protects against accidents, not against attacks. */
#ifndef DK_DIGEST_H
#define DK_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DK_DIGEST_TEXT = 33 };    /* bytes of its hexadecimal text, with the NUL */

typedef struct { uint64_t words[2]; } dk_digest;

/* The digest of bytes: SipHash-2-4 with two fixed keys. The same on every machine. */
dk_digest dk_digest_of (const void *bytes, size_t length);

/* Its text: 32 hexadecimal digits. */
void dk_digest_format (const dk_digest *digest, char text[DK_DIGEST_TEXT]);

#endif
