/* test_server.h - the other end of the wire: an HTTP peer on loopback, a thread of the test program, that does what its rows say.
 *
 * It allocates nothing, so that tests whose allocations fail can use it. A peer is a static variable of its test. */
#ifndef PEER_H
#define PEER_H

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
  PEER_MOST = 256,               /* connections at a time */
  PEER_ROWS = 16,
  PEER_KEPT = 16 * 1024,         /* first bytes of a request that are kept to be looked at */
};

typedef enum { PEER_KEEP, PEER_CLOSE, PEER_RESET } peer_end;

/* What is done with a request whose target begins with path; the first row that fits counts. */
typedef struct {
  const char *path;              /* NULL ends the rows */
  const char *answer;            /* NULL: none */
  size_t length;                 /* of answer; 0: up to its NUL */
  peer_end end;                  /* after the answer */
  int gather;                    /* requests that must have come before the first is answered */
  bool at_head;                  /* when the head is there; a body is not read */
} peer_row;

typedef struct {
  int fd;
  size_t got, head, whole;       /* bytes of the request; 0: not known yet */
  int row;                       /* that waits to be answered; -1: none */
  const char *out;
  size_t left;
  char request[PEER_KEPT + 1];
} peer_connection;

typedef struct {
  const peer_row *rows;
  int listener, wake[2], count;
  peer_connection at[PEER_MOST];
  pthread_t thread;
  char url[128];
  atomic_int hits[PEER_ROWS], accepted, open;
  pthread_mutex_t lock;
  char request[PEER_KEPT + 1];   /* the last whole one */
} peer;

/* A socket that listens on a free port of 127.0.0.1. */
static inline int peer_listener (int backlog, struct sockaddr_in *address) {
  socklen_t size = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || bind(fd, (struct sockaddr *)address, size) != 0 || listen(fd, backlog) != 0) abort();
  getsockname(fd, (struct sockaddr *)address, &size);
  return fd;
}

static inline void peer_forget (peer *p, int i, peer_end end) {
  const struct linger at_once = {1, 0};
  if (end == PEER_RESET) setsockopt(p->at[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(p->at[i].fd);
  p->at[i] = p->at[--p->count];
  atomic_fetch_sub(&p->open, 1);
}

static inline int peer_row_of (const peer *p, const char *request) {
  const char *target = strchr(request, ' ');
  for (int i = 0; p->rows[i].path != NULL; i++) {
    if (target && strncmp(target + 1, p->rows[i].path, strlen(p->rows[i].path)) == 0) return i;
  }
  return -1;
}

/* the length of head and body, once the head is there */
static inline void peer_measure (peer_connection *c) {
  const char *end = strstr(c->request, "\r\n\r\n"), *length = strcasestr(c->request, "\r\nContent-Length:");
  if (end == NULL) return;
  c->head = (size_t)(end - c->request) + 4;
  c->whole = c->head + (length && length < end ? (size_t)strtoull(length + 17, NULL, 10) : 0);
}

static inline void peer_take_request (peer *p, peer_connection *c) {
  int row = peer_row_of(p, c->request);
  if (row < 0 || (c->got < c->whole && !p->rows[row].at_head)) return;
  pthread_mutex_lock(&p->lock);
  memcpy(p->request, c->request, sizeof p->request);
  pthread_mutex_unlock(&p->lock);
  atomic_fetch_add(&p->hits[row], 1);
  c->row = row;
}

/* False: the connection is over. */
static inline bool peer_read (peer *p, peer_connection *c) {
  char bytes[65536];
  ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  size_t room = c->got < PEER_KEPT ? PEER_KEPT - c->got : 0, kept = (size_t)n < room ? (size_t)n : room;
  memcpy(c->request + c->got, bytes, kept);
  c->request[c->got + kept < PEER_KEPT ? c->got + kept : PEER_KEPT] = '\0';
  c->got += (size_t)n;
  if (c->head == 0) peer_measure(c);
  if (c->head > 0 && c->row < 0) peer_take_request(p, c);
  return true;
}

static inline void peer_begin_answer (peer *p, peer_connection *c) {
  const peer_row *row = &p->rows[c->row];
  c->out = row->answer;
  c->left = row->answer == NULL ? 0 : row->length > 0 ? row->length : strlen(row->answer);
}

/* False: the connection is over. */
static inline bool peer_write (peer_connection *c) {
  ssize_t n = send(c->fd, c->out, c->left, MSG_NOSIGNAL);
  if (n <= 0) return false;
  c->out += n;
  c->left -= (size_t)n;
  return true;
}

static inline void peer_accept (peer *p) {
  int fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (p->count == PEER_MOST) abort();
  p->at[p->count++] = (peer_connection){.fd = fd, .row = -1};
  atomic_fetch_add(&p->accepted, 1);
  atomic_fetch_add(&p->open, 1);
}

/* One turn of a connection. False: it was forgotten, and another stands in its place. */
static inline bool peer_serve (peer *p, int i, short events) {
  peer_connection *c = &p->at[i];
  if ((events & POLLOUT && !peer_write(c)) || (events & (POLLIN | POLLHUP | POLLERR) && !peer_read(p, c))) {
    peer_forget(p, i, PEER_CLOSE);
    return false;
  }
  if (c->row < 0 || atomic_load(&p->hits[c->row]) < p->rows[c->row].gather) return true;
  if (c->out == NULL) peer_begin_answer(p, c);
  if (c->left > 0) return true;
  peer_end end = p->rows[c->row].end;
  if (end != PEER_KEEP) {
    peer_forget(p, i, end);
    return false;
  }
  if (p->rows[c->row].at_head || c->out == NULL) return true;   /* goes on waiting, and never reads what comes */
  c->got = c->head = c->whole = 0;
  c->out = NULL;
  c->row = -1;
  return true;
}

static inline short peer_events (const peer *p, const peer_connection *c) {
  bool deaf = c->row >= 0 && p->rows[c->row].at_head;
  return (short)((deaf ? 0 : POLLIN) | (c->left > 0 ? POLLOUT : 0));
}

static inline void *peer_run (void *arg) {
  peer *p = arg;
  for (;;) {
    struct pollfd fds[PEER_MOST + 2] = {{.fd = p->wake[0], .events = POLLIN}, {.fd = p->listener, .events = POLLIN}};
    int count = p->count;
    for (int i = 0; i < count; i++) fds[i + 2] = (struct pollfd){.fd = p->at[i].fd, .events = peer_events(p, &p->at[i])};
    if (poll(fds, (nfds_t)count + 2, -1) < 0) continue;
    if (fds[0].revents) return NULL;
    for (int i = count - 1; i >= 0; i--) peer_serve(p, i, fds[i + 2].revents);
    if (fds[1].revents) peer_accept(p);
    for (int i = p->count - 1; i >= 0; i--) peer_serve(p, i, 0);             /* what gathers may be complete now */
  }
}

/* Its address with the path; the peer's, until the next call. */
static inline const char *peer_url (peer *p, const char *path) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  getsockname(p->listener, (struct sockaddr *)&address, &size);
  snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d%s", ntohs(address.sin_port), path);
  return p->url;
}

/* rows: borrowed. */
static inline void peer_start (peer *p, const peer_row *rows) {
  struct sockaddr_in address;
  p->rows = rows;
  p->count = 0;
  p->listener = peer_listener(128, &address);
  if (pipe2(p->wake, O_CLOEXEC) != 0) abort();
  for (int i = 0; i < PEER_ROWS; i++) atomic_store(&p->hits[i], 0);
  atomic_store(&p->accepted, 0);
  atomic_store(&p->open, 0);
  pthread_mutex_init(&p->lock, NULL);
  if (pthread_create(&p->thread, NULL, peer_run, p) != 0) abort();
}

static inline void peer_stop (peer *p) {
  close(p->wake[1]);
  pthread_join(p->thread, NULL);
  while (p->count > 0) peer_forget(p, 0, PEER_CLOSE);
  close(p->wake[0]);
  close(p->listener);
  pthread_mutex_destroy(&p->lock);
}

/* How often the row was asked for: requests that were read whole (at_head: whose head was). */
static inline int peer_hits (peer *p, int row) { return atomic_load(&p->hits[row]); }

/* Connections so far, and those that neither side has closed. */
static inline int peer_accepted (peer *p) { return atomic_load(&p->accepted); }
static inline int peer_open (peer *p) { return atomic_load(&p->open); }

/* The last request's first PEER_KEPT bytes. */
static inline void peer_request (peer *p, char request[PEER_KEPT + 1]) {
  pthread_mutex_lock(&p->lock);
  memcpy(request, p->request, PEER_KEPT + 1);
  pthread_mutex_unlock(&p->lock);
}

#endif
