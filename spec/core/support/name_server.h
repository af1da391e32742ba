/* name_server.h - lets a libcurl with c-ares, which does not call getaddrinfo, get the addresses of the test's own getaddrinfo:
 * c-ares asks a name server on loopback, in a thread, which answers by that function. Any other libcurl never calls what is here.
 * Only names under .test are looked up. */
#ifndef NAME_SERVER_H
#define NAME_SERVER_H

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAME_QUERY = 512, NAME_HEADER = 12, NAME_CHANNELS = 64, NAME_A = 1, NAME_AAAA = 28 };

/* One for each channel of c-ares. Its thread frees it. */
typedef struct {
  int fd;
  struct sockaddr_in address;
  atomic_bool is_ended;
} name_server;

static struct { void *channel; name_server *server; } name_channels[NAME_CHANNELS];
static pthread_mutex_t name_lock = PTHREAD_MUTEX_INITIALIZER;

/* Reads the question's name, as "a.test". Returns the length of its labels, with the 0 at their end, or 0 if it is malformed. */
static inline size_t name_read (const unsigned char *labels, size_t length, char name[NAME_QUERY]) {
  size_t at = 0;
  while (at < length && labels[at] != 0 && at + labels[at] + 1 < length) {
    memcpy(name + at, labels + at + 1, labels[at]);
    at += labels[at] + 1u;
    name[at - 1] = '.';
  }
  if (at == 0 || at >= length || labels[at] != 0) return 0;
  name[at - 1] = '\0';
  return at + 1;
}

static inline size_t name_write (unsigned char *answer, int type, const struct sockaddr *address) {
  const void *bytes = type == NAME_A ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
                                     : (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
  const size_t size = type == NAME_A ? 4 : 16;
  const unsigned char head[] = {0xc0, NAME_HEADER, 0, (unsigned char)type, 0, 1, 0, 0, 0, 0, 0, (unsigned char)size};  /* kept for 0 s */
  memcpy(answer, head, sizeof head);
  memcpy(answer + sizeof head, bytes, size);
  return sizeof head + size;
}

/* Makes the response of the query in message, of length bytes. Returns its length, or 0 for none. */
static inline size_t name_answer (unsigned char message[2 * NAME_QUERY], size_t length) {
  char name[NAME_QUERY];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *first = NULL;
  size_t labels = length > NAME_HEADER ? name_read(message + NAME_HEADER, length - NAME_HEADER, name) : 0;
  size_t end = NAME_HEADER + labels + 4;
  if (labels == 0 || end > length) return 0;
  int type = message[end - 3], count = 0;
  bool is_ours = labels > 6 && strcmp(name + labels - 7, ".test") == 0 && (type == NAME_A || type == NAME_AAAA);
  hints.ai_family = type == NAME_A ? AF_INET : AF_INET6;
  if (is_ours && getaddrinfo(name, NULL, &hints, &first) != 0) first = NULL;
  for (const struct addrinfo *each = first; each != NULL; each = each->ai_next, count++) {
    end += name_write(message + end, type, each->ai_addr);
  }
  if (first != NULL) freeaddrinfo(first);
  const unsigned char head[] = {0x81, count > 0 ? 0x80 : 0x83, 0, 1, 0, (unsigned char)count, 0, 0, 0, 0};
  memcpy(message + 2, head, sizeof head);                                 /* after the query's number */
  return end;
}

static inline void *name_serve (void *context) {
  name_server *server = context;
  unsigned char message[2 * NAME_QUERY];
  while (!atomic_load(&server->is_ended)) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(server->fd, message, NAME_QUERY, 0, (struct sockaddr *)&from, &size);
    size_t length = n > 0 ? name_answer(message, (size_t)n) : 0;
    if (length > 0) sendto(server->fd, message, length, 0, (struct sockaddr *)&from, size);
  }
  close(server->fd);
  free(server);
  return NULL;
}

static inline name_server *name_server_start (void) {
  name_server *server = calloc(1, sizeof *server);
  socklen_t size = sizeof server->address;
  pthread_t thread;
  if (server == NULL) abort();
  server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  server->address.sin_family = AF_INET;
  server->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server->fd, (struct sockaddr *)&server->address, size) != 0) abort();
  if (getsockname(server->fd, (struct sockaddr *)&server->address, &size) != 0) abort();
  if (pthread_create(&thread, NULL, name_serve, server) != 0) abort();
  pthread_detach(thread);
  return server;
}

/* replaces the server of the channel: a server if the channel is NULL, else NULL; returns the one before */
static inline name_server *name_channel_swap (void *from, void *to, name_server *server) {
  name_server *before = NULL;
  pthread_mutex_lock(&name_lock);
  size_t i = 0;
  while (i < NAME_CHANNELS && name_channels[i].channel != from) i++;
  if (i < NAME_CHANNELS) {
    before = name_channels[i].server;
    name_channels[i].channel = to;
    name_channels[i].server = server;
  }
  pthread_mutex_unlock(&name_lock);
  if (i == NAME_CHANNELS && server != NULL) abort();
  return before;
}

/* Finds c-ares's own function. RTLD_NEXT does not: a library that is preloaded comes before an interpreter, and c-ares is loaded
 * later, for a Lua module alone. Sets *function; ISO C has no cast from an object pointer to a function pointer. */
static inline void name_real (const char *symbol, void *function) {
  void *library = dlopen("libcares.so.2", RTLD_LAZY | RTLD_NOLOAD);
  void *found = library == NULL ? NULL : dlsym(library, symbol);
  if (found == NULL) abort();
  memcpy(function, &found, sizeof found);
  dlclose(library);                                                       /* libcurl still holds it */
}

/* the functions of c-ares that libcurl calls; a channel is ares_channel */
__attribute__((visibility("default"))) int ares_init_options (void **channel, void *options, int mask);
__attribute__((visibility("default"))) void ares_destroy (void *channel);

int ares_init_options (void **channel, void *options, int mask) {
  int (*real)(void **, void *, int), (*set_servers)(void *, const char *), result;
  char text[32];
  name_real("ares_init_options", &real);
  name_real("ares_set_servers_ports_csv", &set_servers);
  if ((result = real(channel, options, mask)) != 0) return result;
  name_server *server = name_server_start();
  snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(server->address.sin_port));
  name_channel_swap(NULL, *channel, server);
  return set_servers(*channel, text);
}

void ares_destroy (void *channel) {
  void (*real)(void *);
  name_real("ares_destroy", &real);
  real(channel);
  name_server *server = name_channel_swap(channel, NULL, NULL);
  if (server == NULL) return;
  struct sockaddr_in address = server->address;                           /* the thread may free the server as soon as it is ended */
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  atomic_store(&server->is_ended, true);
  sendto(fd, "", 0, 0, (struct sockaddr *)&address, sizeof address);      /* wakes it */
  close(fd);
}

#endif
