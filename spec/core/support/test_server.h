/* test_server.h - an HTTP server on loopback, in a thread of the test program. Its routes say how it responds.
 *
 * It allocates nothing, so that tests whose allocations fail can use it. Each test_server is a static variable. */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  SERVER_CONNECTIONS = 256,      /* at a time */
  SERVER_ROUTES = 16,
  SERVER_KEPT = 16 * 1024,       /* first bytes of a request that the test can read */
};

typedef enum { SERVER_KEEP, SERVER_CLOSE, SERVER_RESET } server_end;

/* How the server handles a request whose target begins with path; the first route that matches counts. */
typedef struct {
  const char *path;              /* NULL ends the routes */
  const char *response;          /* NULL: none */
  size_t length;                 /* of the response; 0: up to its NUL */
  server_end end;                /* after the response */
  int gather;                    /* the first response waits until this many requests came */
  bool at_headers;               /* responds after the headers, and does not read the body */
} server_route;

typedef struct {
  int fd;
  size_t got, headers, total;    /* bytes of the request; 0: not known yet */
  int route;                     /* of the request that waits for its response; -1: none */
  const char *out;               /* the rest of the response; NULL: not begun */
  size_t left;
  char request[SERVER_KEPT + 1];
} server_connection;

typedef struct {
  const server_route *routes;
  int listener, wake[2], count;
  server_connection at[SERVER_CONNECTIONS];
  pthread_t thread;
  char url[128];
  atomic_int hits[SERVER_ROUTES], accepted, open;
  pthread_mutex_t lock;
  char request[SERVER_KEPT + 1];   /* the last complete one */
} test_server;

/* A socket that listens on a free port of 127.0.0.1. */
static inline int server_listener (int backlog, struct sockaddr_in *address) {
  socklen_t size = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || bind(fd, (struct sockaddr *)address, size) != 0 || listen(fd, backlog) != 0) abort();
  getsockname(fd, (struct sockaddr *)address, &size);
  return fd;
}

static inline void server_drop (test_server *p, int i, server_end end) {
  const struct linger at_once = {1, 0};
  if (end == SERVER_RESET) setsockopt(p->at[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(p->at[i].fd);
  p->at[i] = p->at[--p->count];
  atomic_fetch_sub(&p->open, 1);
}

static inline int server_route_of (const test_server *p, const char *request) {
  const char *target = strchr(request, ' ');
  for (int i = 0; p->routes[i].path != NULL; i++) {
    if (target && strncmp(target + 1, p->routes[i].path, strlen(p->routes[i].path)) == 0) return i;
  }
  return -1;
}

/* the length of the request, after its headers came */
static inline void server_measure (server_connection *c) {
  const char *end = strstr(c->request, "\r\n\r\n"), *length = strcasestr(c->request, "\r\nContent-Length:");
  if (end == NULL) return;
  c->headers = (size_t)(end - c->request) + 4;
  c->total = c->headers + (length && length < end ? (size_t)strtoull(length + 17, NULL, 10) : 0);
}

static inline void server_take_request (test_server *p, server_connection *c) {
  int route = server_route_of(p, c->request);
  if (route < 0 || (c->got < c->total && !p->routes[route].at_headers)) return;
  pthread_mutex_lock(&p->lock);
  memcpy(p->request, c->request, sizeof p->request);
  pthread_mutex_unlock(&p->lock);
  atomic_fetch_add(&p->hits[route], 1);
  c->route = route;
}

/* False: the connection is over. */
static inline bool server_read (test_server *p, server_connection *c) {
  char bytes[65536];
  ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  size_t room = c->got < SERVER_KEPT ? SERVER_KEPT - c->got : 0, kept = (size_t)n < room ? (size_t)n : room;
  memcpy(c->request + c->got, bytes, kept);
  c->request[c->got + kept < SERVER_KEPT ? c->got + kept : SERVER_KEPT] = '\0';
  c->got += (size_t)n;
  if (c->headers == 0) server_measure(c);
  if (c->headers > 0 && c->route < 0) server_take_request(p, c);
  return true;
}

static inline void server_begin_response (test_server *p, server_connection *c) {
  const server_route *route = &p->routes[c->route];
  c->out = route->response;
  c->left = route->response == NULL ? 0 : route->length > 0 ? route->length : strlen(route->response);
}

/* False: the connection is over. */
static inline bool server_write (server_connection *c) {
  ssize_t n = send(c->fd, c->out, c->left, MSG_NOSIGNAL);
  if (n <= 0) return false;
  c->out += n;
  c->left -= (size_t)n;
  return true;
}

static inline void server_accept (test_server *p) {
  int fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (p->count == SERVER_CONNECTIONS) abort();
  p->at[p->count++] = (server_connection){.fd = fd, .route = -1};
  atomic_fetch_add(&p->accepted, 1);
  atomic_fetch_add(&p->open, 1);
}

/* Serves one connection. False: it was closed, and another one has its index. */
static inline bool server_serve (test_server *p, int i, short events) {
  server_connection *c = &p->at[i];
  if ((events & POLLOUT && !server_write(c)) || (events & (POLLIN | POLLHUP | POLLERR) && !server_read(p, c))) {
    server_drop(p, i, SERVER_CLOSE);
    return false;
  }
  if (c->route < 0 || atomic_load(&p->hits[c->route]) < p->routes[c->route].gather) return true;
  if (c->out == NULL) server_begin_response(p, c);
  if (c->left > 0) return true;
  server_end end = p->routes[c->route].end;
  if (end != SERVER_KEEP) {
    server_drop(p, i, end);
    return false;
  }
  if (p->routes[c->route].at_headers || c->out == NULL) return true;   /* waits on, and reads nothing more */
  c->got = c->headers = c->total = 0;
  c->out = NULL;
  c->route = -1;
  return true;
}

static inline short server_events (const test_server *p, const server_connection *c) {
  bool is_done = c->route >= 0 && p->routes[c->route].at_headers;
  return (short)((is_done ? 0 : POLLIN) | (c->left > 0 ? POLLOUT : 0));
}

static inline void *server_run (void *arg) {
  test_server *p = arg;
  for (;;) {
    struct pollfd fds[SERVER_CONNECTIONS + 2] = {{.fd = p->wake[0], .events = POLLIN}, {.fd = p->listener, .events = POLLIN}};
    int count = p->count;
    for (int i = 0; i < count; i++) fds[i + 2] = (struct pollfd){.fd = p->at[i].fd, .events = server_events(p, &p->at[i])};
    if (poll(fds, (nfds_t)count + 2, -1) < 0) continue;
    if (fds[0].revents) return NULL;
    for (int i = count - 1; i >= 0; i--) server_serve(p, i, fds[i + 2].revents);
    if (fds[1].revents) server_accept(p);
    for (int i = p->count - 1; i >= 0; i--) server_serve(p, i, 0);             /* a route with gather may respond now */
  }
}

/* Its URL with the path; valid until the next call. */
static inline const char *server_url (test_server *p, const char *path) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  getsockname(p->listener, (struct sockaddr *)&address, &size);
  snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d%s", ntohs(address.sin_port), path);
  return p->url;
}

/* routes: borrowed until server_stop. */
static inline void server_start (test_server *p, const server_route *routes) {
  struct sockaddr_in address;
  p->routes = routes;
  p->count = 0;
  p->listener = server_listener(128, &address);
  if (pipe2(p->wake, O_CLOEXEC) != 0) abort();
  for (int i = 0; i < SERVER_ROUTES; i++) atomic_store(&p->hits[i], 0);
  atomic_store(&p->accepted, 0);
  atomic_store(&p->open, 0);
  pthread_mutex_init(&p->lock, NULL);
  if (pthread_create(&p->thread, NULL, server_run, p) != 0) abort();
}

static inline void server_stop (test_server *p) {
  close(p->wake[1]);
  pthread_join(p->thread, NULL);
  while (p->count > 0) server_drop(p, 0, SERVER_CLOSE);
  close(p->wake[0]);
  close(p->listener);
  pthread_mutex_destroy(&p->lock);
}

/* The complete requests for a route; with at_headers, the requests with complete headers. */
static inline int server_requests (test_server *p, int route) { return atomic_load(&p->hits[route]); }

/* Connections so far, and connections that neither side has closed. */
static inline int server_accepted (test_server *p) { return atomic_load(&p->accepted); }
static inline int server_open (test_server *p) { return atomic_load(&p->open); }

/* The last request's first SERVER_KEPT bytes. */
static inline void server_last_request (test_server *p, char request[SERVER_KEPT + 1]) {
  pthread_mutex_lock(&p->lock);
  memcpy(request, p->request, SERVER_KEPT + 1);
  pthread_mutex_unlock(&p->lock);
}

#endif
