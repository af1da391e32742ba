/* slow_lookup.h - a getaddrinfo of the test program's own, which libcurl takes: a look-up of SLOW_NAME lasts until it is let go. */
#ifndef SLOW_LOOKUP_H
#define SLOW_LOOKUP_H

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define SLOW_NAME "slow.test"

enum { LOOKUP_TURNS = 8000 };    /* of a millisecond or more; then it ends by itself, and whoever waited for it has failed */

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
  memcpy(&real, &symbol, sizeof real);                                    /* ISO C has no cast from an object's pointer to a function's */
  if (name == NULL || strcmp(name, SLOW_NAME) != 0) return real(name, service, hints, answer);
  if (hints != NULL && hints->ai_family == AF_INET6) return EAI_NONAME;   /* libcurl 8.20 looks IPv4 up beside it, and that one counts */
  atomic_fetch_add(&lookups_waiting, 1);
  for (int turns = 0; turns < LOOKUP_TURNS && !atomic_load(&lookups_end); turns++) lookup_breath();
  atomic_fetch_sub(&lookups_waiting, 1);
  return EAI_NONAME;
}

/* Lets them all go; they have left when it returns. */
static inline void end_lookups (void) {
  atomic_store(&lookups_end, true);
  while (atomic_load(&lookups_waiting) > 0) lookup_breath();
  atomic_store(&lookups_end, false);
}

#endif
