#ifndef _WIN32
#define _GNU_SOURCE              /* accept4, SOCK_CLOEXEC */
#include "os/network.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0           /* macOS has an option of the socket for it */
#endif

/* ---- flags of a new descriptor: by the call that makes it, or after it, where the system has no such call ---- */

#ifdef SOCK_CLOEXEC
static int set_flags (int fd, bool is_nonblocking) { return (void)is_nonblocking, fd; }

static int take_connection (int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }
#else
#define SOCK_CLOEXEC 0
#define SOCK_NONBLOCK 0

/* a fork between the two calls inherits the descriptor; there is no other way */
static int set_flags (int fd, bool is_nonblocking) {
  if (fd < 0) return fd;
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (is_nonblocking) (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

static int take_connection (int listener) {
  int fd = set_flags(accept(listener, NULL, NULL), true), on = 1;
  if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  return fd;
}
#endif

int dk_socket_new (int family, int type, int protocol) { return set_flags(socket(family, type | SOCK_CLOEXEC, protocol), false); }

bool dk_socket_is_readable (int fd) {
  struct pollfd event = {.fd = fd, .events = POLLIN};
  return poll(&event, 1, 0) > 0;
}

void dk_wait_readable (int fd, int milliseconds) {
  struct pollfd event = {.fd = fd, .events = POLLIN};
  poll(&event, 1, milliseconds);
}

/* ---- the wake-up: an eventfd, or a pipe ---- */

void dk_wakeup_init (dk_wakeup *wakeup) { wakeup->fd = wakeup->setter = -1; }

#ifdef __linux__
bool dk_wakeup_open (dk_wakeup *wakeup, bool is_set) {
  if (wakeup->fd < 0) wakeup->fd = wakeup->setter = eventfd(is_set ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
  return wakeup->fd >= 0;
}

void dk_wakeup_set (dk_wakeup *wakeup) { eventfd_write(wakeup->setter, 1); }

void dk_wakeup_clear (dk_wakeup *wakeup) {
  eventfd_t count;
  eventfd_read(wakeup->fd, &count);
}
#else
bool dk_wakeup_open (dk_wakeup *wakeup, bool is_set) {
  int ends[2];
  if (wakeup->fd >= 0) return true;
  if (pipe(ends) != 0) return false;
  for (int i = 0; i < 2; i++) {
    (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  wakeup->fd = ends[0];
  wakeup->setter = ends[1];
  if (is_set) dk_wakeup_set(wakeup);
  return true;
}

void dk_wakeup_set (dk_wakeup *wakeup) {
  ssize_t written = write(wakeup->setter, "w", 1);
  (void)written;                 /* a full pipe is readable */
}

void dk_wakeup_clear (dk_wakeup *wakeup) {
  char dropped[16];
  while (read(wakeup->fd, dropped, sizeof dropped) == (ssize_t)sizeof dropped) continue;
}
#endif

void dk_wakeup_close (dk_wakeup *wakeup) {
  if (wakeup->setter >= 0 && wakeup->setter != wakeup->fd) close(wakeup->setter);
  if (wakeup->fd >= 0) close(wakeup->fd);
  dk_wakeup_init(wakeup);
}

/* ---- a unix socket ---- */

static int new_unix_socket (const char *path, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memccpy(address->sun_path, path, 0, sizeof address->sun_path - 1);
  return set_flags(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), true);
}

int dk_listen_at (const char path[DK_SOCKET_PATH], int backlog) {
  struct sockaddr_un address;
  int fd = new_unix_socket(path, &address);
  if (fd < 0) return -1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, backlog) == 0) return fd;
  int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

int dk_accept (int listener, bool *none) {
  int fd = take_connection(listener);
  *none = fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED);
  return fd;
}

bool dk_drop_received (int connection) {
  char dropped[64];
  ssize_t n = recv(connection, dropped, sizeof dropped, MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void dk_send_byte (int connection) { (void)send(connection, "w", 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

bool dk_has_listener (const char path[DK_SOCKET_PATH]) {
  struct sockaddr_un address;
  int fd = new_unix_socket(path, &address);
  if (fd < 0) return true;
  bool refused = connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && (errno == ECONNREFUSED || errno == ENOENT);
  close(fd);
  return !refused;
}

void dk_socket_close (int fd) { close(fd); }
#endif
