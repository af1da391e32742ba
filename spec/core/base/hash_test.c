/* hash_test.c - the keyed hash: the vectors of its paper, and the effect of the key. */
#include "base/hash.h"
#include "support/check.h"

/* the vectors of the paper's reference code: key 00 01 .. 0f, message 00 01 .. */
static void vectors (void) {
  static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
  static const struct { size_t length; uint64_t hash; } rows[] = {
    {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu}, {7, 0xab0200f58b01d137u}, {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u}, {63, 0x958a324ceb064572u},
  };
  unsigned char bytes[64];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)i;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) CHECK(dk_siphash(key, bytes, rows[i].length) == rows[i].hash);
}

static void of_the_process (void) {
  static const uint64_t zero[2] = {0, 0};
  uint64_t one = 0, again = 0, other = 0, empty = 0;
  CHECK(dk_hash("key", 3, &one) && dk_hash("key", 3, &again) && dk_hash("kez", 3, &other) && dk_hash("", 0, &empty));
  CHECK(one == again && one != other && one != empty);
  CHECK(one != dk_siphash(zero, "key", 3));                  /* the process has a key */
}

int main (void) {
  static const check_test tests[] = {{"vectors", vectors}, {"of_the_process", of_the_process}};
  return CHECK_RUN(tests);
}
