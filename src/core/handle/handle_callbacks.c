#include "handle/handle_callbacks.h"

#include <stdio.h>
#include <string.h>

#include "http/ip_address.h"
#include "os/network.h"
#include "os/os.h"

#define GRACE 0.02               /* seconds that an upload waits after its first piece for a server that refuses it at once */
enum { MAX_PAUSES = 4 };         /* of an upload between two pieces: two TLS tickets and a response may come */

static void note_activity (dk_xfer *x) { x->progress.last_activity = *x->engine.clock; }

/* "HTTP/1.1 200 OK": 200; 0: not a status line of HTTP/1. libcurl may accept it all the same: libcurl 8 reads a 200 from "HTTP/2.0 404". */
static int parse_status (const char *line, size_t length) {
  static const char form[] = "HTTP/1.0 000";                   /* 0: any digit */
  if (length < sizeof form || strchr(" \r\n", line[sizeof form - 1]) == NULL) return 0;
  for (size_t i = 0; form[i] != '\0'; i++) {
    if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i]) return 0;
  }
  return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

static size_t on_header (char *bytes, size_t one, size_t count, void *arg) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  dk_response *response = &x->response;
  size_t length = one * count;
  note_activity(x);
  if (response->has_headers && response->status / 100 != 1) return length;            /* a trailer, after a chunked body */
  if (response->has_headers) dk_buffer_truncate(&response->headers, 0);               /* the block before was interim */
  if (response->headers.length == 0) response->status = parse_status(bytes, length);
  response->has_headers = length > 0 && (bytes[0] == '\r' || bytes[0] == '\n');
  dk_status status = dk_buffer_add(&response->headers, bytes, length);
  if (status == DK_OK) return length;
  if (status == DK_NO_MEMORY) dk_no_memory(&x->outcome.failure);
  else dk_fail(&x->outcome.failure, status, "the response headers have more than %d bytes", DK_MAX_HEADERS);
  return 0;
}

static size_t on_body (char *bytes, size_t one, size_t count, void *arg) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  size_t length = one * count;
  note_activity(x);
  if (dk_xfer_is_saved(x)) return dk_download_write(&x->download, bytes, length, &x->outcome.failure) == DK_OK ? length : 0;
  dk_status status = dk_buffer_add(&x->response.body, bytes, length);
  if (status == DK_OK) return length;
  if (status == DK_NO_MEMORY) dk_no_memory(&x->outcome.failure);
  else dk_fail(&x->outcome.failure, status, "the response has more than %zu bytes", x->request.limits.response_bytes);
  return 0;
}

static int on_progress (void *arg, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  const curl_off_t now[DK_BYTE_COUNTS] = {sent, to_send, received, to_receive};
  for (int i = 0; i < DK_BYTE_COUNTS; i++) {
    uint64_t count = now[i] > 0 ? (uint64_t)now[i] : 0;
    if (dk_atomic_load_relaxed(&x->progress.counts[i]) == count) continue;
    dk_atomic_store_relaxed(&x->progress.counts[i], count);
    note_activity(x);
  }
  return 0;
}

/* The address comes from libcurl's only lookup, so a second lookup can't change it. After a refusal libcurl tries the next one. */
static curl_socket_t on_open_socket (void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  dk_handle *handle = (dk_handle *)arg;
  char text[64];
  (void)purpose;
  if (!handle->public_only || dk_ip_classify_socket(&address->addr, text) == DK_IP_PUBLIC) {
    return handle->socket = dk_socket_new(address->family, address->socktype, address->protocol);
  }
  memcpy(handle->refused_address, text, sizeof text);
  return CURL_SOCKET_BAD;
}

/* libcurl does not report that a chunked response has ended while the upload continues, so this reads the raw bytes */
static int on_debug (CURL *easy, curl_infotype kind, char *bytes, size_t length, void *arg) {
  char *tail = ((dk_handle *)arg)->upload.tail;
  const size_t size = sizeof ((dk_handle *)arg)->upload.tail;
  (void)easy;
  if (kind != CURLINFO_DATA_IN) return 0;
  size_t fresh = length < size ? length : size;
  memmove(tail, tail + fresh, size - fresh);
  memcpy(tail + size - fresh, bytes + length - fresh, fresh);
  return 0;
}

/* libcurl loses an early response if it sends while the server closes the connection. So an upload pauses if the socket is
 * readable, and once after its first piece. A TLS ticket is no response, so it continues after MAX_PAUSES. */
bool dk_handle_must_pause (void *arg, size_t sent) {
  dk_handle *handle = (dk_handle *)arg;
  dk_upload_pause *upload = &handle->upload;
  if (handle->xfer->response.has_headers) return upload->paused = false;
  if (sent >= DK_FORM_PIECE && handle->socket != CURL_SOCKET_BAD && upload->grace_ends == 0) upload->grace_ends = dk_now() + GRACE;
  upload->paused = dk_now() < upload->grace_ends || (upload->count < MAX_PAUSES && dk_socket_is_readable(handle->socket));
  upload->count = upload->paused ? upload->count + 1 : 0;
  if (upload->paused) *handle->xfer->engine.upload_paused = true;
  return upload->paused;
}

/* libcurl calls this before each request; it repeats a request by itself when a reused connection dies without a response */
static int on_prerequest (void *arg, char *peer, char *local, int peer_port, int local_port) {
  dk_handle *handle = (dk_handle *)arg;
  dk_progress *progress = &handle->xfer->progress;
  (void)local, (void)peer_port, (void)local_port;
  note_activity(handle->xfer);
  if (handle->public_only && dk_ip_classify(peer) != DK_IP_PUBLIC) {                  /* a reused connection of another transfer */
    snprintf(handle->refused_address, sizeof handle->refused_address, "%s", peer);
    return CURL_PREREQFUNC_ABORT;
  }
  if (progress->requests_sent > 0 && (handle->xfer->request.flags & DK_ONCE)) {
    progress->repeat_stopped = true;
    return CURL_PREREQFUNC_ABORT;
  }
  progress->requests_sent++;
  return CURL_PREREQFUNC_OK;
}

void dk_handle_set_callbacks (dk_handle *handle) {
  DK_REQUIRE(handle, CURLOPT_HEADERFUNCTION, on_header);
  DK_REQUIRE(handle, CURLOPT_HEADERDATA, handle);
  DK_REQUIRE(handle, CURLOPT_WRITEFUNCTION, on_body);
  DK_REQUIRE(handle, CURLOPT_WRITEDATA, handle);
  DK_REQUIRE(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  DK_REQUIRE(handle, CURLOPT_XFERINFODATA, handle);
  DK_REQUIRE(handle, CURLOPT_PREREQFUNCTION, on_prerequest);
  DK_REQUIRE(handle, CURLOPT_PREREQDATA, handle);
  DK_REQUIRE(handle, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  DK_REQUIRE(handle, CURLOPT_OPENSOCKETDATA, handle);
  DK_REQUIRE(handle, CURLOPT_DEBUGFUNCTION, on_debug);         /* without one, libcurl prints what it sends, with the secrets */
  DK_REQUIRE(handle, CURLOPT_DEBUGDATA, handle);
}
