#define _DEFAULT_SOURCE          /* getentropy, clock_gettime */
#include "system/random.h"

#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"

/* the last step of SplitMix64: each bit of the result depends on every bit of x */
static uint64_t mix (uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* for a kernel without a random source, such as Linux before 3.17 */
static uint64_t fallback (void) {
  static DK_ATOMIC(unsigned) number;
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  uint64_t x = mix((uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec);
  return mix(x ^ (uint64_t)getpid() << 32 ^ dk_atomic_add(&number, 1));
}

double dk_random (void) {
  uint64_t bits;
  if (getentropy(&bits, sizeof bits) != 0) bits = fallback();
  return (double)(bits >> 11) * 0x1p-53;
}
