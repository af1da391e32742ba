/* network.h - sockets, and descriptors to wait for. A function that returns a descriptor gives -1 after an error, and errno. */
#ifndef DK_NETWORK_H
#define DK_NETWORK_H

#include <stdbool.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET dk_socket;
enum { DK_SOCKET_PATH = 108 };
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
typedef int dk_socket;
enum { DK_SOCKET_PATH = sizeof ((struct sockaddr_un *)0)->sun_path };      /* bytes with the NUL; Linux: 108 */
#endif

/* A socket that child processes don't inherit. */
dk_socket dk_socket_new (int family, int type, int protocol);

/* Whether a read would not wait. */
bool dk_socket_is_readable (dk_socket fd);

/* Waits until a descriptor of dk_wakeup is readable, a signal comes, or the time is over; may end earlier; -1 as descriptor: only the time. */
void dk_wait_readable (int fd, int milliseconds);

/* ---- a descriptor that is readable while it is set ---- */

typedef struct {
  int fd;                        /* owned; to watch; -1: not open */
  int setter;                    /* owned; where the other end is another descriptor; else the same */
} dk_wakeup;

void dk_wakeup_init (dk_wakeup *wakeup);                       /* not open */
bool dk_wakeup_open (dk_wakeup *wakeup, bool is_set);          /* false: no descriptor is left */
void dk_wakeup_set (dk_wakeup *wakeup);                        /* once until it is cleared; any thread */
void dk_wakeup_clear (dk_wakeup *wakeup);                      /* if it is set */
void dk_wakeup_close (dk_wakeup *wakeup);                      /* if it is open */

/* ---- a socket in the file system, which never waits ---- */

int dk_listen_at (const char path[DK_SOCKET_PATH], int backlog);

/* The next connection. errno: *none if there is no connection to take. */
int dk_accept (int listener, bool *none);

/* Reads and drops what came. False: the other side closed the connection. */
bool dk_drop_received (int connection);

/* Sends a byte, if there is room. */
void dk_send_byte (int connection);

/* Whether a process listens at this path, or it can't be known. */
bool dk_has_listener (const char path[DK_SOCKET_PATH]);

void dk_socket_close (int fd);

#endif
