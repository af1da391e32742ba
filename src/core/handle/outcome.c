#include "handle/outcome.h"

#include <string.h>

#include "base/ascii.h"
#include "http/header.h"
#include "system/ca_source.h"
#include "handle/handle_internal.h"

/* libcurl's results; every other one means that the connection was lost */
static const struct { CURLcode code; dk_status status; } results[] = {
  {CURLE_COULDNT_RESOLVE_HOST, DK_LOOKUP},
  {CURLE_COULDNT_RESOLVE_PROXY, DK_LOOKUP},
  {CURLE_COULDNT_CONNECT, DK_CONNECT},
  {CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT},
  {CURLE_SSL_CONNECT_ERROR, DK_TLS_HANDSHAKE},
  {CURLE_PEER_FAILED_VERIFICATION, DK_TLS},
  {CURLE_SSL_CACERT_BADFILE, DK_TLS},
  {CURLE_SSL_ISSUER_ERROR, DK_TLS},
  {CURLE_SSL_CIPHER, DK_TLS},
  {CURLE_SSL_INVALIDCERTSTATUS, DK_TLS},
  {CURLE_OUT_OF_MEMORY, DK_NO_MEMORY},
  {CURLE_URL_MALFORMAT, DK_BAD_URL},
  {CURLE_UNSUPPORTED_PROTOCOL, DK_BAD_URL},
  {CURLE_WEIRD_SERVER_REPLY, DK_PROTOCOL},
  {CURLE_BAD_FUNCTION_ARGUMENT, DK_PROTOCOL},                  /* since 7.83: a header line without a name */
  {CURLE_BAD_CONTENT_ENCODING, DK_PROTOCOL},
  {DK_CURLE_TOO_LARGE, DK_OVER_LIMIT},                         /* headers over libcurl's own limit */
};

static dk_status status_of (CURLcode code) {
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
    if (results[i].code == code) return results[i].status;
  }
  return DK_CONNECTION_LOST;
}

static long get_number (CURL *easy, CURLINFO what) {
  long number = 0;
  curl_easy_getinfo(easy, what, &number);
  return number;
}

static double get_seconds (CURL *easy, CURLINFO what) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, what, &microseconds);
  return (double)microseconds / 1e6;
}

/* a proxy refused us (407, a SOCKS login), or it could not reach the server */
static dk_status proxy_status (CURL *easy, CURLcode code) {
  long response = get_number(easy, CURLINFO_HTTP_CONNECTCODE), reply = get_number(easy, CURLINFO_PROXY_ERROR);
  if (response / 100 == 4) return DK_PROXY;
  if (response / 100 != 2 && response != 0) return DK_CONNECT;
  if (code != CURLE_PROXY) return status_of(code);
  return reply == CURLPX_USER_REJECTED || reply == CURLPX_NO_AUTH || reply == CURLPX_REPLY_NOT_ALLOWED ? DK_PROXY : DK_CONNECT;
}

/* ---- the phase ---- */

static bool failed_at_proxy (const dk_handle *handle, dk_status status) {
  const dk_request *request = &handle->xfer->request;
  if (request->proxy == NULL || get_number(handle->easy, CURLINFO_HTTP_CONNECTCODE) / 100 == 2) return false;
  return dk_request_has_tls_proxy(request) || (status != DK_TLS && status != DK_TLS_HANDSHAKE);
}

static const char *phase_before_sending (const dk_handle *handle, dk_status status) {
  CURL *easy = handle->easy;
  if (failed_at_proxy(handle, status)) return "proxy";
  if (get_seconds(easy, CURLINFO_NAMELOOKUP_TIME_T) == 0) return handle->refused_address[0] ? "connect" : "name look-up";
  /* CURLINFO_CONNECT_TIME_T is 0 until TLS is done, too */
  return dk_request_has_tls(&handle->xfer->request) && get_number(easy, CURLINFO_NUM_CONNECTS) > 0 ? "TLS" : "connect";
}

static const char *phase_of (const dk_handle *handle, dk_status status) {
  dk_progress *progress = &handle->xfer->progress;
  if (progress->requests_sent == 0) return phase_before_sending(handle, status);
  if (handle->xfer->response.status > 0) return "body";
  /* libcurl sends a small body at once */
  return dk_atomic_load(&progress->counts[DK_BYTES_SENT]) < dk_atomic_load(&progress->counts[DK_BYTES_TO_SEND]) ? "send" : "wait";
}

static void note_times (const dk_handle *handle) {
  dk_xfer *x = handle->xfer;
  dk_times *times = &x->outcome.times;
  CURL *easy = handle->easy;
  bool is_reused = x->progress.requests_sent > 0 && get_number(easy, CURLINFO_NUM_CONNECTS) == 0;
  times->total = get_seconds(easy, CURLINFO_TOTAL_TIME_T);
  if (!is_reused) {
    times->lookup = (float)get_seconds(easy, CURLINFO_NAMELOOKUP_TIME_T);
    times->connect = (float)get_seconds(easy, CURLINFO_CONNECT_TIME_T);
    times->tls = (float)get_seconds(easy, CURLINFO_APPCONNECT_TIME_T);
  }
  if (x->response.status > 0) times->first_byte = (float)get_seconds(easy, CURLINFO_STARTTRANSFER_TIME_T);
}

/* ---- the failure ---- */

dk_status dk_outcome_not_public (dk_xfer *x, const char *address) {
  return dk_fail(&x->outcome.failure, DK_ADDRESS_NOT_PUBLIC, "the address %s is not public", address);
}

/* libcurl before 8.6 says "out of memory" if a header line is over its own limit of 100 KB */
static bool is_long_line (const dk_xfer *x, dk_status status) {
  const dk_response *response = &x->response;
  return status == DK_NO_MEMORY && x->progress.requests_sent > 0 && (!response->has_headers || response->status / 100 == 1);
}

static bool was_address_refused (const dk_handle *handle, CURLcode code) {
  if (handle->refused_address[0] == '\0' || handle->xfer->progress.requests_sent > 0) return false;
  return code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK;
}

/* libcurl with GnuTLS says then that reading or writing failed; phase: already set */
static bool broke_off_in_handshake (const dk_handle *handle) {
  return strcmp(handle->xfer->outcome.phase, "TLS") == 0 && get_seconds(handle->easy, CURLINFO_APPCONNECT_TIME_T) == 0;
}

static dk_status failure_status (const dk_handle *handle, CURLcode code) {
  const dk_xfer *x = handle->xfer;
  bool was_sent = x->progress.requests_sent > 0;
  dk_status status = x->request.proxy && !was_sent ? proxy_status(handle->easy, code) : status_of(code);
  if (status == DK_CONNECTION_LOST && broke_off_in_handshake(handle)) return DK_TLS_HANDSHAKE;
  return status == DK_BAD_URL && was_sent ? DK_PROTOCOL : status;        /* libcurl's result for a response in HTTP/0.9 */
}

static void note_failure (const dk_handle *handle, CURLcode code) {
  dk_xfer *x = handle->xfer;
  dk_failure *failure = &x->outcome.failure;
  const dk_request *request = &x->request;
  const char *form_error = request->form ? dk_form_error(request->form) : NULL;
  const char *text = handle->error[0] ? handle->error : curl_easy_strerror(code);
  dk_status status = failure_status(handle, code);
  if (form_error != NULL) dk_fail(failure, DK_FILE, "%s", form_error);
  else if (x->progress.repeat_stopped) dk_fail(failure, DK_CONNECTION_LOST, "the connection ended before a response came");
  else if (was_address_refused(handle, code)) dk_outcome_not_public(x, handle->refused_address);
  else if (is_long_line(x, status)) dk_fail(failure, DK_OVER_LIMIT, "a line of the response headers is too long for libcurl");
  else if (strcmp(x->outcome.phase, "proxy") == 0) dk_fail(failure, status, "the proxy %s: %s", request->proxy, text);
  else if (status == DK_TLS) dk_fail(failure, status, "%s (trusted roots: %s)", text, dk_ca_source_name(request->ca_file));
  else dk_fail(failure, status, "%s", text);
}

/* ---- the fate ---- */

static bool is_chunked (const dk_response *response) {
  size_t length;
  const char *coding = dk_header_find(response->headers.bytes, response->headers.length, "Transfer-Encoding", &length);
  return coding != NULL && length == 7 && dk_ascii_equal(coding, "chunked", length);
}

/* A server may respond before it has read the complete request, and then close the connection. The response counts if it has the
 * length of its headers, or if its last chunk came. */
static bool is_complete (const dk_handle *handle) {
  const dk_xfer *x = handle->xfer;
  const dk_response *response = &x->response;
  curl_off_t length = -1, received = 0;
  if (!response->has_headers || response->status < 200 || x->progress.repeat_stopped || x->outcome.failure.status != DK_OK) return false;
  if (response->status == 204 || response->status == 304) return true;
  curl_easy_getinfo(handle->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(handle->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
  if (x->request.form != NULL && is_chunked(response)) return memcmp(handle->upload.tail, "\r\n0\r\n\r\n", sizeof handle->upload.tail) == 0;
  return length >= 0 && received == length;
}

/* the result of a transfer that the engine did not stop */
static CURLcode check_response (const dk_response *response, CURLcode code) {
  if (code == CURLE_OK && !response->has_headers) return CURLE_GOT_NOTHING;           /* libcurl accepts headers without an end */
  if (code == CURLE_OK && response->status < 100) return CURLE_WEIRD_SERVER_REPLY;
  return code;
}

void dk_outcome_settle (dk_handle *handle, CURLcode code, dk_status stopped, const char *text) {
  dk_xfer *x = handle->xfer;
  dk_outcome *outcome = &x->outcome;
  if ((code != CURLE_OK || stopped != DK_OK) && is_complete(handle)) {
    code = CURLE_OK;
    stopped = DK_OK;
  }
  code = check_response(&x->response, code);
  bool is_answered = code == CURLE_OK && stopped == DK_OK;
  outcome->fate = is_answered ? DK_ANSWERED : x->progress.requests_sent > 0 ? DK_UNKNOWN : DK_NOT_SENT;
  if (!is_answered) outcome->phase = phase_of(handle, status_of(code));
  if (!is_answered || x->response.status / 100 != 2) outcome->times.total = get_seconds(handle->easy, CURLINFO_TOTAL_TIME_T);
  if (x->request.flags & DK_WANT_TIMES) note_times(handle);
  if (stopped != DK_OK) dk_fail(&outcome->failure, stopped, "%s", text);
  else if (outcome->failure.status == DK_OK && code != CURLE_OK) note_failure(handle, code);
  if (outcome->failure.status == DK_OK && dk_xfer_is_saved(x)) dk_download_finish(&x->download, &outcome->failure);
}
