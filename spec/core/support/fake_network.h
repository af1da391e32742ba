/* fake_network.h - a fake DNS and a fake public network for libcurl in the test program: getaddrinfo returns the addresses that the
 * test sets, and a connection to PUBLIC_ADDRESS goes to a server on loopback. */
#ifndef FAKE_NETWORK_H
#define FAKE_NETWORK_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/name_server.h"

#define FAKE_NAME "picture.test"
#define PUBLIC_ADDRESS "93.184.216.34"

enum { FAKE_LOOKUPS = 4, FAKE_ADDRESSES = 4 };

/* the results of the first, second, ... lookup of FAKE_NAME; the last one is repeated. libcurl 8.20 looks up IPv4 and IPv6 separately:
 * only its IPv4 lookups count */
static const char *fake_answers[FAKE_LOOKUPS][FAKE_ADDRESSES];
static atomic_int fake_lookups, fake_connects;        /* lookups of the name; connections to PUBLIC_ADDRESS */

static inline void *fake_real (const char *name) { return dlsym(RTLD_NEXT, name); }

/* one block, as the C library's freeaddrinfo frees them */
static inline struct addrinfo *fake_entry (const char *address, const char *service, struct addrinfo *next) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *entry = NULL;
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  void *symbol = fake_real("getaddrinfo");
  memcpy(&real, &symbol, sizeof real);                                    /* ISO C has no cast from an object pointer to a function pointer */
  if (real(address, service, &hints, &entry) != 0) abort();
  entry->ai_next = next;
  return entry;
}

static inline bool fake_has_family (const char *address, int family) {
  return family == AF_UNSPEC || (strchr(address, ':') != NULL) == (family == AF_INET6);
}

__attribute__((visibility("default")))
int getaddrinfo (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **answer) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  void *symbol = fake_real("getaddrinfo");
  memcpy(&real, &symbol, sizeof real);
  if (name == NULL || strcmp(name, FAKE_NAME) != 0) return real(name, service, hints, answer);
  int family = hints != NULL ? hints->ai_family : AF_UNSPEC;
  int turn = family == AF_INET6 ? atomic_load(&fake_lookups) : atomic_fetch_add(&fake_lookups, 1);
  while (turn > 0 && (turn >= FAKE_LOOKUPS || fake_answers[turn][0] == NULL)) turn--;
  *answer = NULL;
  for (int i = FAKE_ADDRESSES - 1; i >= 0; i--) {
    const char *address = fake_answers[turn][i];
    if (address != NULL && fake_has_family(address, family)) *answer = fake_entry(address, service, *answer);
  }
  return *answer != NULL ? 0 : EAI_NONAME;
}

static atomic_bool fake_public[1024];                /* by descriptor: getpeername says that it is connected to PUBLIC_ADDRESS */

static inline bool fake_is_public (const struct sockaddr *address) {
  struct in_addr wanted;
  inet_pton(AF_INET, PUBLIC_ADDRESS, &wanted);
  return address->sa_family == AF_INET && ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr == wanted.s_addr;
}

static inline bool fake_is_stream (int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

__attribute__((visibility("default")))
int connect (int fd, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t);
  void *symbol = fake_real("connect");
  struct sockaddr_in peer;
  memcpy(&real, &symbol, sizeof real);
  atomic_store(&fake_public[fd], fake_is_public(address));
  if (!fake_is_public(address)) return real(fd, address, length);
  memcpy(&peer, address, sizeof peer);
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fake_is_stream(fd)) atomic_fetch_add(&fake_connects, 1);            /* c-ares connects a datagram socket, to sort addresses */
  return real(fd, (struct sockaddr *)(void *)&peer, sizeof peer);
}

__attribute__((visibility("default")))
int getpeername (int fd, struct sockaddr *address, socklen_t *length) {
  int (*real)(int, struct sockaddr *, socklen_t *);
  void *symbol = fake_real("getpeername");
  memcpy(&real, &symbol, sizeof real);
  int result = real(fd, address, length);
  if (result == 0 && atomic_load(&fake_public[fd])) inet_pton(AF_INET, PUBLIC_ADDRESS, &((struct sockaddr_in *)(void *)address)->sin_addr);
  return result;
}

#endif
