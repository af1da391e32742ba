/* handle_on_socket.h - a handle whose connection is one end of a pair of sockets: what libcurl makes of bytes, without a network. Each
 * request has a handle of its own, so that an input always does the same. */
#ifndef WIRE_H
#define WIRE_H

#include <sys/socket.h>
#include <unistd.h>

#include "support/fuzz.h"
#include "transfer/handle.h"

typedef struct {
  dk_handle *handle;
  CURLM *multi;
  int pair[2];                   /* ours; libcurl's, who closes it */
} wire;

static inline curl_socket_t wire_socket (void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose, (void)address;
  return ((wire *)arg)->pair[1];
}

/* libcurl's, too: it is connected already. CURL_SOCKOPT_ALREADY_CONNECTED would say so, but libcurl 7.88 connects all the same. */
__attribute__((visibility("default")))
int connect (int fd, const struct sockaddr *address, socklen_t length) {
  (void)fd, (void)address, (void)length;
  return 0;
}

/* Puts a request on the handle, with a pair of sockets of its own. form: taken over; or NULL. */
static inline dk_xfer *wire_begin (wire *w, const char *method, dk_form *form, size_t max_answer) {
  static const double clock = 0;
  dk_failure failure;
  dk_request request = {.method = method, .url = "http://127.0.0.1/", .flags = DK_ONCE, .form = form, .max_answer = max_answer};
  if (w->multi == NULL) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    w->multi = curl_multi_init();
  }
  w->handle = dk_handle_new(NULL, &failure);
  dk_xfer *x = dk_xfer_new(&request, &failure);
  x->clock = &clock;
  x->alone = true;                                   /* no connection is kept */
  HOLDS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->pair) == 0);
  HOLDS(dk_handle_load(w->handle, x) == DK_OK);
  CURL *easy = dk_handle_easy(w->handle);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, wire_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, w);
  curl_multi_add_handle(w->multi, easy);
  return x;
}

/* Takes the request off the handle, as ended by libcurl or, where it is not done, by us. What libcurl knows of it can be asked
 * until dk_handle_free. */
static inline void wire_end (wire *w) {
  int left;
  CURLMsg *message = curl_multi_info_read(w->multi, &left);
  CURLcode code = message ? message->data.result : CURLE_OK;
  dk_status stopped = message ? DK_OK : DK_CANCELLED;
  curl_multi_remove_handle(w->multi, dk_handle_easy(w->handle));
  dk_handle_unload(w->handle, code, stopped, "cancelled");
  close(w->pair[0]);
}

#endif
