#include "base/digest.h"

#include "base/hash.h"

enum { WORD_DIGITS = DK_DIGEST_DIGITS / 2 };

static const uint64_t keys[2][2] = {
  {0x0706050403020100u, 0x0f0e0d0c0b0a0908u}, {0x1716151413121110u, 0x1f1e1d1c1b1a1918u}};

dk_digest dk_digest_of (const void *bytes, size_t length) {
  dk_digest digest;
  for (int i = 0; i < 2; i++) digest.words[i] = dk_siphash(keys[i], bytes, length);
  return digest;
}

uint64_t dk_digest_first_word (const void *bytes, size_t length) { return dk_siphash(keys[0], bytes, length); }

void dk_digest_format_word (uint64_t word, char digits[DK_DIGEST_DIGITS / 2]) {
  for (int i = WORD_DIGITS - 1; i >= 0; i--, word >>= 4) digits[i] = "0123456789abcdef"[word & 15];
}

void dk_digest_format (const dk_digest *digest, char text[DK_DIGEST_TEXT]) {
  for (int i = 0; i < 2; i++) dk_digest_format_word(digest->words[i], text + i * WORD_DIGITS);
  text[DK_DIGEST_DIGITS] = '\0';
}

static int value_of (char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool dk_digest_parse (const char *text, size_t length, dk_digest *digest) {
  *digest = (dk_digest){{0, 0}};
  if (length != DK_DIGEST_DIGITS) return false;
  for (int i = 0; i < DK_DIGEST_DIGITS; i++) {
    int value = value_of(text[i]);
    if (value < 0) return false;
    uint64_t *word = &digest->words[i / WORD_DIGITS];
    *word = *word << 4 | (uint64_t)value;
  }
  return true;
}
