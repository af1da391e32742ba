/* response.c - what a handle takes for an answer is one whole header block with libcurl's own status and length, within its cap.
 * Input: all that the server sends before it closes. */
#include "support/handle_on_socket.h"

enum { CAP = 64 };               /* bytes of a body: small, so that it is met */

/* whether it ends in the first line that is empty, or begins as one: libcurl takes "\r?" for its end */
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
  HOLDS(x->fate != DK_NOT_SENT && (x->fate == DK_ANSWERED) == (x->failure.status == DK_OK));
  HOLDS(x->answer.length <= CAP && x->head.length <= DK_MAX_HEAD && x->status >= 0);
  if (x->fate != DK_ANSWERED) return;
  HOLDS(x->head.length > 5 && memcmp(x->head.bytes, "HTTP/", 5) == 0 && is_one_block(x->head.bytes, x->head.bytes + x->head.length));
  HOLDS(x->status == status && status >= 100 && status <= 999);
  HOLDS(length < 0 || x->answer.length == 0 || x->answer.length == (size_t)length);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static wire w;
  int running = 1;
  dk_xfer *x = wire_begin(&w, "GET", NULL, CAP);
  HOLDS(send(w.pair[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
  shutdown(w.pair[0], SHUT_WR);
  for (int turn = 0; running > 0 && turn < 1000; turn++) curl_multi_perform(w.multi, &running);
  HOLDS(running == 0);
  wire_end(&w);
  check(x, dk_handle_easy(w.handle));
  dk_handle_free(w.handle);
  dk_xfer_free(x);
  return 0;
}
