/* listener.h - a unix socket that sends bytes to its clients: the ready signal for a host that can only connect (nginx).
 *
 * Thread: after dk_listener_new, only the engine's thread uses it. When that thread has ended, the caller frees it. */
#ifndef DK_LISTENER_H
#define DK_LISTENER_H

#include <curl/curl.h>

#include "base/atomic.h"
#include "system/socket_folder.h"

enum { DK_LISTENER_CLIENTS = 4 };                     /* connections at a time; a further one replaces the oldest */

typedef struct {
  char path[DK_SOCKET_PATH];     /* of the socket; never changes */
  unsigned count;                /* of fds */
  struct curl_waitfd fds[1 + DK_LISTENER_CLIENTS];    /* owned; the listening socket, then the connections, the oldest first */
} dk_listener;

/* Listens on a socket in a new private folder in parent. NULL: failure has the reason. End it with dk_listener_free. */
dk_listener *dk_listener_new (const char *parent, dk_failure *failure);

/* Call this after a sleep that watched fds: accepts a connection, and closes those that ended. ready: a new connection gets a
 * byte at once if it is set. */
void dk_listener_serve (dk_listener *listener, const DK_ATOMIC(bool) *ready);

/* Seconds that the thread may sleep until the next dk_listener_serve. */
double dk_listener_max_sleep (const dk_listener *listener);

/* Sends a byte to each connection. Never waits: a connection that is full has unread bytes, so its client wakes up anyway. */
void dk_listener_send (dk_listener *listener);

/* Removes the socket's file and its folder, but closes nothing. A second call changes nothing. */
void dk_listener_remove_files (const dk_listener *listener);

/* Closes all descriptors, removes the files and frees it. NULL is allowed. */
void dk_listener_free (dk_listener *listener);

#endif
