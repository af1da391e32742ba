#define _GNU_SOURCE              /* accept4 */
#include "engine/listener.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16 };
#define ACCEPT_PAUSE 0.1         /* seconds until the next accept, after one that had no descriptor or no memory */

static int listen_at (const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

dk_listener *dk_listener_new (const char *parent, dk_failure *failure) {
  dk_listener *l = (dk_listener *)calloc(1, sizeof *l);
  if (l == NULL) dk_fail(failure, DK_NO_MEMORY, "no memory");
  if (l == NULL || dk_socket_folder_make(parent, l->path, failure) != DK_OK) {
    free(l);
    return NULL;
  }
  int fd = listen_at(l->path);
  if (fd >= 0) {
    l->fds[l->count++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
    return l;
  }
  dk_fail(failure, DK_FILE, "%.300s: a socket can't be made in it: %s", parent, dk_errno_text(errno));
  dk_listener_free(l);
  return NULL;
}

/* ---- connections ---- */

static void close_connection (dk_listener *l, unsigned i) {
  close(l->fds[i].fd);
  memmove(&l->fds[i], &l->fds[i + 1], (--l->count - i) * sizeof *l->fds);
}

/* false: the client closed it. What a client sends is dropped. */
static bool is_open (int fd) {
  char dropped[64];
  ssize_t n = recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void send_byte (int fd) { (void)send(fd, "w", 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

static void accept_connection (dk_listener *l, const DK_ATOMIC(bool) *ready) {
  int fd = accept4(l->fds[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  bool failed = fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
  l->fds[0].events = failed ? 0 : CURL_WAIT_POLLIN;   /* else the thread would wake up all the time for what it can't accept */
  if (fd < 0) return;
  if (l->count == 1 + DK_LISTENER_CLIENTS) close_connection(l, 1);
  l->fds[l->count++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
  if (dk_atomic_load(ready)) send_byte(fd);           /* it was set while nobody was connected */
}

void dk_listener_serve (dk_listener *l, const DK_ATOMIC(bool) *ready) {
  for (unsigned i = l->count - 1; i > 0; i--) {
    if (l->fds[i].revents != 0 && !is_open(l->fds[i].fd)) close_connection(l, i);
    else l->fds[i].revents = 0;
  }
  if (l->fds[0].revents != 0 || l->fds[0].events == 0) accept_connection(l, ready);
  l->fds[0].revents = 0;
}

double dk_listener_max_sleep (const dk_listener *l) { return l->fds[0].events == 0 ? ACCEPT_PAUSE : HUGE_VAL; }

void dk_listener_send (dk_listener *l) {
  for (unsigned i = 1; i < l->count; i++) send_byte(l->fds[i].fd);
}

/* ---- the end ---- */

void dk_listener_remove_files (const dk_listener *l) { dk_socket_folder_remove(l->path); }

void dk_listener_free (dk_listener *l) {
  if (l == NULL) return;
  for (unsigned i = 0; i < l->count; i++) close(l->fds[i].fd);
  dk_listener_remove_files(l);
  free(l);
}
