/* slow_getaddrinfo_preload.c - a name look-up that takes its time, under LD_PRELOAD, for specs that cancel during one.
 *
 * SLOW_RESOLVE_NAME     the one name that is slow; every other goes to the real getaddrinfo
 * SLOW_RESOLVE_SECONDS  how long it takes
 * SLOW_RESOLVE_ADDRESS  what is answered then (a literal address); unset: the name does not resolve
 * SLOW_RESOLVE_MARK     a file that is made when the slow look-up begins, so that a spec knows when to act */
#define _GNU_SOURCE /* RTLD_NEXT, nanosleep, getaddrinfo, name_server.h */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/name_server.h"

typedef int look_up (const char *, const char *, const struct addrinfo *, struct addrinfo **);

static look_up *real_getaddrinfo (void) {
  look_up *found;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&found, &symbol, sizeof found); /* ISO C has no cast from an object's pointer to a function's */
  return found;
}

static void sleep_whole (double seconds) {
  struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

static void make_mark (const char *path) {
  FILE *file = path ? fopen(path, "w") : NULL;
  if (file) fclose(file);
}

__attribute__((visibility("default")))
int getaddrinfo (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer) {
  const char *slow = getenv("SLOW_RESOLVE_NAME"), *seconds = getenv("SLOW_RESOLVE_SECONDS");
  const char *address = getenv("SLOW_RESOLVE_ADDRESS");
  if (!slow || !name || strcmp(name, slow) != 0) return real_getaddrinfo()(name, service, hints, answer);
  make_mark(getenv("SLOW_RESOLVE_MARK"));
  sleep_whole(seconds ? atof(seconds) : 0);
  return address ? real_getaddrinfo()(address, service, hints, answer) : EAI_NONAME;
}
