/* slow_lookup.h - a getaddrinfo for libcurl in the test program: a lookup of SLOW_NAME runs until the test ends it. */
#ifndef SLOW_LOOKUP_H
#define SLOW_LOOKUP_H

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "support/name_server.h"

#define SLOW_NAME "slow.test"

enum { LOOKUP_TURNS = 8000 };    /* of a millisecond or more; then the lookup ends, and a test that waited for it has failed */

static atomic_int lookups_waiting;
static atomic_bool lookups_end;

static inline void lookup_breath (void) {
  const struct timespec breath = {0, 1000000};
  nanosleep(&breath, NULL);
}

__attribute__((visibility("default")))
int getaddrinfo (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &symbol, sizeof real);                                    /* ISO C has no cast from an object pointer to a function pointer */
  if (name == NULL || strcmp(name, SLOW_NAME) != 0) return real(name, service, hints, answer);
  if (hints != NULL && hints->ai_family == AF_INET6) return EAI_NONAME;   /* libcurl 8.20 also looks up IPv4, and that lookup counts */
  atomic_fetch_add(&lookups_waiting, 1);
  for (int turns = 0; turns < LOOKUP_TURNS && !atomic_load(&lookups_end); turns++) lookup_breath();
  atomic_fetch_sub(&lookups_waiting, 1);
  return EAI_NONAME;
}

/* Ends all lookups, and waits for their end. */
static inline void end_lookups (void) {
  atomic_store(&lookups_end, true);
  while (atomic_load(&lookups_waiting) > 0) lookup_breath();
  atomic_store(&lookups_end, false);
}

#endif
