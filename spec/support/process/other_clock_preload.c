/* other_clock_preload.c - a machine whose clock is wrong, under LD_PRELOAD: the time that passes is right.
 *
 * OTHER_CLOCK  the Unix time at the first question */
#define _GNU_SOURCE              /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static int real_clock (clockid_t clock, struct timespec *at) {
  int (*real) (clockid_t, struct timespec *);
  void *found = dlsym(RTLD_NEXT, "clock_gettime");
  memcpy(&real, &found, sizeof real);
  return real(clock, at);
}

static time_t offset (time_t now) {
  static time_t kept;
  static int is_set;
  const char *wanted = getenv("OTHER_CLOCK");
  if (!is_set && wanted != NULL) kept = (time_t)strtoll(wanted, NULL, 10) - now;
  is_set = 1;
  return kept;
}

int clock_gettime (clockid_t clock, struct timespec *at) {
  int result = real_clock(clock, at);
  if (result == 0 && clock == CLOCK_REALTIME) at->tv_sec += offset(at->tv_sec);
  return result;
}

time_t time (time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday (struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
