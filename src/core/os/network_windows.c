#ifdef _WIN32
#include "os/network.h"

#include <errno.h>
#include <stddef.h>

enum { LONGEST_WAIT = 50 };      /* milliseconds */

/* INVALID_SOCKET is what libcurl takes for a failure */
dk_socket dk_socket_new (int family, int type, int protocol) {
  return WSASocketW(family, type, protocol, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

/* milliseconds: at most some hours */
static bool wait_for (SOCKET fd, int milliseconds) {
  struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  return select(0, &set, NULL, NULL, &time) > 0;
}

bool dk_socket_is_readable (dk_socket fd) { return wait_for(fd, 0); }

/* Ctrl-C comes in another thread and ends no wait, so a wait is short, and the caller goes on after it has looked */
void dk_wait_readable (int fd, int milliseconds) {
  int most = milliseconds < LONGEST_WAIT ? milliseconds : LONGEST_WAIT;
  if (fd >= 0) (void)wait_for((SOCKET)fd, most);
  else Sleep((DWORD)most);
}

/* ---- the wake-up: two sockets on loopback; a handle fits in an int ---- */

void dk_wakeup_init (dk_wakeup *wakeup) { wakeup->fd = wakeup->setter = -1; }

static SOCKET new_stream (void) { return dk_socket_new(AF_INET, SOCK_STREAM, IPPROTO_TCP); }

/* whether the other end of accepted is ours: another program may have been faster */
static bool are_connected (SOCKET accepted, SOCKET own) {
  struct sockaddr_in peer, name;
  int peer_length = sizeof peer, name_length = sizeof name;
  return getpeername(accepted, (struct sockaddr *)&peer, &peer_length) == 0 && getsockname(own, (struct sockaddr *)&name, &name_length) == 0 &&
         peer.sin_port == name.sin_port && peer.sin_addr.s_addr == name.sin_addr.s_addr;
}

static bool connect_pair (SOCKET listener, SOCKET setter, SOCKET *fd) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int length = sizeof address;
  u_long on = 1;
  if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0) return false;
  if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) return false;
  if (connect(setter, (struct sockaddr *)&address, length) != 0) return false;
  *fd = accept(listener, NULL, NULL);
  if (*fd == INVALID_SOCKET) return false;
  (void)SetHandleInformation((HANDLE)*fd, HANDLE_FLAG_INHERIT, 0);
  return are_connected(*fd, setter) && ioctlsocket(*fd, (long)FIONBIO, &on) == 0 && ioctlsocket(setter, (long)FIONBIO, &on) == 0;
}

bool dk_wakeup_open (dk_wakeup *wakeup, bool is_set) {
  if (wakeup->fd >= 0) return true;
  SOCKET listener = new_stream(), setter = new_stream(), fd = INVALID_SOCKET;
  bool connected = listener != INVALID_SOCKET && setter != INVALID_SOCKET && connect_pair(listener, setter, &fd);
  if (listener != INVALID_SOCKET) closesocket(listener);
  if (!connected && setter != INVALID_SOCKET) closesocket(setter);
  if (!connected && fd != INVALID_SOCKET) closesocket(fd);
  if (!connected) return false;
  wakeup->fd = (int)fd;
  wakeup->setter = (int)setter;
  if (is_set) dk_wakeup_set(wakeup);
  return true;
}

void dk_wakeup_set (dk_wakeup *wakeup) { (void)send((SOCKET)wakeup->setter, "w", 1, 0); }

/* the byte was sent before the flag was read, and may still be on its way */
void dk_wakeup_clear (dk_wakeup *wakeup) {
  char dropped;
  if (wait_for((SOCKET)wakeup->fd, 1000)) (void)recv((SOCKET)wakeup->fd, &dropped, 1, 0);
}

void dk_wakeup_close (dk_wakeup *wakeup) {
  if (wakeup->setter >= 0) closesocket((SOCKET)wakeup->setter);
  if (wakeup->fd >= 0) closesocket((SOCKET)wakeup->fd);
  dk_wakeup_init(wakeup);
}

/* ---- a socket in the file system: socket_folder_windows.c refuses to make its folder, so there is none ---- */

int dk_listen_at (const char path[DK_SOCKET_PATH], int backlog) {
  (void)path, (void)backlog;
  errno = ENOSYS;
  return -1;
}

int dk_accept (int listener, bool *none) {
  (void)listener;
  *none = true;
  return -1;
}

bool dk_drop_received (int connection) { return (void)connection, false; }

void dk_send_byte (int connection) { (void)connection; }

bool dk_has_listener (const char path[DK_SOCKET_PATH]) { return (void)path, false; }

void dk_socket_close (int fd) { (void)closesocket((SOCKET)fd); }
#endif
