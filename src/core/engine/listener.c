#include "engine/listener.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 16 };
#define ACCEPT_PAUSE 0.1         /* seconds until the next accept, after one that had no descriptor or no memory */

dk_listener *dk_listener_new (const char *parent, dk_failure *failure) {
  dk_listener *l = (dk_listener *)calloc(1, sizeof *l);
  if (l == NULL) dk_fail(failure, DK_NO_MEMORY, "no memory");
  if (l == NULL || dk_socket_folder_make(parent, l->path, failure) != DK_OK) {
    free(l);
    return NULL;
  }
  int fd = dk_listen_at(l->path, BACKLOG);
  if (fd >= 0) {
    l->fds[l->count++] = (struct curl_waitfd){.fd = (curl_socket_t)fd, .events = CURL_WAIT_POLLIN};
    return l;
  }
  dk_fail(failure, DK_FILE, "%.300s: a socket can't be made in it: %s", parent, dk_errno_text(errno));
  dk_listener_free(l);
  return NULL;
}

/* ---- connections ---- */

static void close_connection (dk_listener *l, unsigned i) {
  dk_socket_close((int)l->fds[i].fd);
  memmove(&l->fds[i], &l->fds[i + 1], (--l->count - i) * sizeof *l->fds);
}

static void accept_connection (dk_listener *l, const DK_ATOMIC(bool) *ready) {
  bool none;
  int fd = dk_accept((int)l->fds[0].fd, &none);
  l->fds[0].events = fd < 0 && !none ? 0 : CURL_WAIT_POLLIN;   /* else the thread would wake up all the time for what it can't accept */
  if (fd < 0) return;
  if (l->count == 1 + DK_LISTENER_CLIENTS) close_connection(l, 1);
  l->fds[l->count++] = (struct curl_waitfd){.fd = (curl_socket_t)fd, .events = CURL_WAIT_POLLIN};
  if (dk_atomic_load(ready)) dk_send_byte(fd);           /* it was set while nobody was connected */
}

void dk_listener_serve (dk_listener *l, const DK_ATOMIC(bool) *ready) {
  for (unsigned i = l->count - 1; i > 0; i--) {
    if (l->fds[i].revents != 0 && !dk_drop_received((int)l->fds[i].fd)) close_connection(l, i);
    else l->fds[i].revents = 0;
  }
  if (l->fds[0].revents != 0 || l->fds[0].events == 0) accept_connection(l, ready);
  l->fds[0].revents = 0;
}

double dk_listener_max_sleep (const dk_listener *l) { return l->fds[0].events == 0 ? ACCEPT_PAUSE : HUGE_VAL; }

void dk_listener_send (dk_listener *l) {
  for (unsigned i = 1; i < l->count; i++) dk_send_byte((int)l->fds[i].fd);
}

/* ---- the end ---- */

void dk_listener_remove_files (const dk_listener *l) { dk_socket_folder_remove(l->path); }

void dk_listener_free (dk_listener *l) {
  if (l == NULL) return;
  for (unsigned i = 0; i < l->count; i++) dk_socket_close((int)l->fds[i].fd);
  dk_listener_remove_files(l);
  free(l);
}
