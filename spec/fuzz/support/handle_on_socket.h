/* handle_on_socket.h - a handle whose connection is one end of a socket pair, without a network. Each request has a new handle, so that
 * an input always has the same result. */
#ifndef HANDLE_ON_SOCKET_H
#define HANDLE_ON_SOCKET_H

#include <sys/socket.h>
#include <unistd.h>

#include "support/fuzz.h"
#include "handle/handle.h"

typedef struct {
  dk_handle *handle;
  CURLM *multi;
  int pair[2];                   /* the test's end; libcurl's end, which libcurl closes */
} socket_handle;

static inline curl_socket_t return_socket (void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose, (void)address;
  return ((socket_handle *)arg)->pair[1];
}

/* Also libcurl's: the socket is connected already. libcurl 7.88 calls connect even after CURL_SOCKOPT_ALREADY_CONNECTED. */
__attribute__((visibility("default")))
int connect (int fd, const struct sockaddr *address, socklen_t length) {
  (void)fd, (void)address, (void)length;
  return 0;
}

/* Prepares the handle for a request, with a new socket pair. form: the transfer owns it; or NULL. */
static inline dk_xfer *socket_handle_begin (socket_handle *w, const char *method, dk_form *form, size_t response_bytes) {
  static const double clock = 0;
  dk_failure failure;
  dk_request request = {.method = method, .url = "http://127.0.0.1/", .flags = DK_ONCE, .form = form, .limits = {.response_bytes = response_bytes}};
  if (w->multi == NULL) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    w->multi = curl_multi_init();
  }
  w->handle = dk_handle_new(NULL, &failure);
  dk_xfer *x = dk_xfer_new(&request, &failure);
  x->engine.clock = &clock;
  x->engine.exclusive_connection = true;                                   /* so the connection is not kept */
  HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->pair) == 0);
  HOLDS(dk_handle_prepare(w->handle, x) == DK_OK);
  CURL *easy = dk_handle_easy(w->handle);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, return_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, w);
  curl_multi_add_handle(w->multi, easy);
  return x;
}

/* Ends the transfer: with libcurl's result, or as cancelled if it still runs. curl_easy_getinfo works until dk_handle_free. */
static inline void socket_handle_end (socket_handle *w) {
  int left;
  CURLMsg *message = curl_multi_info_read(w->multi, &left);
  CURLcode code = message ? message->data.result : CURLE_OK;
  dk_status stopped = message ? DK_OK : DK_CANCELLED;
  curl_multi_remove_handle(w->multi, dk_handle_easy(w->handle));
  dk_handle_finish(w->handle, code, stopped, "cancelled");
  close(w->pair[0]);
}

#endif
