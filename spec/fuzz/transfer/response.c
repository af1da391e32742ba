/* response.c - a response of a handle has one complete header block, libcurl's status and length, and a body within its limit.
 * Input: all bytes that the server sends before it closes the connection. */
#include "support/handle_on_socket.h"

enum { CAP = 64 };               /* bytes of a body; small, so that inputs reach it */

/* whether it ends with the first empty line, or with a line that begins like one: libcurl accepts "\r?" as the end */
static bool is_one_block (const char *at, const char *end) {
  while (at < end && *at != '\r' && *at != '\n') {
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    at = feed != NULL ? feed + 1 : end;
  }
  return at < end && memchr(at, '\n', (size_t)(end - at)) == end - 1;
}

static void check (const dk_xfer *x, CURL *easy) {
  long status = 0;
  curl_off_t length = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  HOLDS(x->outcome.fate != DK_NOT_SENT && (x->outcome.fate == DK_ANSWERED) == (x->outcome.failure.status == DK_OK));
  HOLDS(x->response.body.length <= CAP && x->response.headers.length <= DK_MAX_HEADERS && x->response.status >= 0);
  if (x->outcome.fate != DK_ANSWERED) return;
  HOLDS(x->response.headers.length > 5 && memcmp(x->response.headers.bytes, "HTTP/", 5) == 0 && is_one_block(x->response.headers.bytes, x->response.headers.bytes + x->response.headers.length));
  HOLDS(x->response.status == status && status >= 100 && status <= 999);
  HOLDS(length < 0 || x->response.body.length == 0 || x->response.body.length == (size_t)length);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static socket_handle w;
  int running = 1;
  dk_xfer *x = socket_handle_begin(&w, "GET", NULL, CAP);
  HOLDS(send(w.pair[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
  shutdown(w.pair[0], SHUT_WR);
  for (int turn = 0; running > 0 && turn < 1000; turn++) curl_multi_perform(w.multi, &running);
  HOLDS(running == 0);
  socket_handle_end(&w);
  check(x, dk_handle_easy(w.handle));
  dk_handle_free(w.handle);
  dk_xfer_free(x);
  return 0;
}
