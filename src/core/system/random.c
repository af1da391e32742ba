#include "system/random.h"

#include <stdint.h>
#include <time.h>

#include "base/atomic.h"
#include "os/os.h"

/* the last step of SplitMix64: each bit of the result depends on every bit of x */
static uint64_t mix (uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/* for a kernel without a random source, such as Linux before 3.17 */
static uint64_t fallback (void) {
  static DK_ATOMIC(unsigned) number;
  uint64_t x = mix((uint64_t)time(NULL)) ^ mix((uint64_t)(dk_now() * 1e9));
  return mix(x ^ (uint64_t)dk_os_process_id() << 32 ^ dk_atomic_add(&number, 1));
}

double dk_random (void) {
  uint64_t bits;
  if (!dk_random_bytes(&bits, sizeof bits)) bits = fallback();
  return (double)(bits >> 11) * 0x1p-53;
}
