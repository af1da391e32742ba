#include "base/hash.h"

#include "os/os.h"
#include "os/threads.h"

static uint64_t process_key[2];
static bool has_key;

static void make_key (void) { has_key = dk_random_bytes(process_key, sizeof process_key); }

static uint64_t rotate_left (uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static void half_round (uint64_t *a, uint64_t *b, int bits) {
  *a += *b;
  *b = rotate_left(*b, bits) ^ *a;
}

static void mix (uint64_t v[4], int rounds) {
  while (rounds-- > 0) {
    half_round(&v[0], &v[1], 13);
    v[0] = rotate_left(v[0], 32);
    half_round(&v[2], &v[3], 16);
    half_round(&v[0], &v[3], 21);
    half_round(&v[2], &v[1], 17);
    v[2] = rotate_left(v[2], 32);
  }
}

/* eight bytes, the lowest first; compilers make one load of it */
static uint64_t whole_word (const unsigned char *bytes) {
  return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 |
         (uint64_t)bytes[5] << 40 | (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* up to seven bytes */
static uint64_t word_of (const unsigned char *bytes, size_t length) {
  uint64_t word = 0;
  for (size_t i = 0; i < length; i++) word |= (uint64_t)bytes[i] << (8 * i);
  return word;
}

static void add_word (uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  mix(v, 2);
  v[0] ^= word;
}

uint64_t dk_siphash (const uint64_t key[2], const void *bytes, size_t length) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
  size_t left = length;
  for (; left >= 8; left -= 8, at += 8) add_word(v, whole_word(at));
  add_word(v, word_of(at, left) | (uint64_t)length << 56);
  v[2] ^= 0xff;
  mix(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool dk_hash (const void *bytes, size_t length, uint64_t *hash) {
  static dk_once once = DK_ONCE_INIT;
  dk_run_once(&once, make_key);
  if (has_key) *hash = dk_siphash(process_key, bytes, length);
  return has_key;
}
