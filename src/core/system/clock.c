#define _DEFAULT_SOURCE          /* clock_gettime */
#include "system/clock.h"

#include <time.h>

double dk_now (void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
