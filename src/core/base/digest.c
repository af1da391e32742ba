#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

dk_digest dk_digest_of (const void *bytes, size_t length) {
  static const uint64_t keys[2][2] = {
    {0x0706050403020100u, 0x0f0e0d0c0b0a0908u}, {0x1716151413121110u, 0x1f1e1d1c1b1a1918u}};
  dk_digest digest;
  for (int i = 0; i < 2; i++) digest.words[i] = dk_siphash(keys[i], bytes, length);
  return digest;
}

void dk_digest_format (const dk_digest *digest, char text[DK_DIGEST_TEXT]) {
  snprintf(text, DK_DIGEST_TEXT, "%016" PRIx64 "%016" PRIx64, digest->words[0], digest->words[1]);
}
