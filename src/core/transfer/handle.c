#define _GNU_SOURCE              /* strdup, SOCK_CLOEXEC */
#include "transfer/handle.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/ip_address.h"
#include "base/ascii.h"
#include "engine/engine.h"
#include "system/ca_source.h"

enum {
  SMALL_BUFFER = 16 * 1024,      /* bytes; libcurl's own default for what comes */
  FILE_BUFFER = 128 * 1024,      /* a download into a file: 0.70 x the CPU of the default (PERFORMANCE 2.10) */
  SEND_BUFFER = 64 * 1024,       /* libcurl's default for what goes */
  MOST_PAUSES = 4,               /* of an upload between two pieces; two TLS tickets and a response may come */
  FORM_BUFFER = 112 * 1024,      /* an upload: `make bench` R4 says 0.7 x on plain, 0.9 x on TLS; from 128 KiB on, above 1 */
};

/* options that are set only when they change: together 0.5 % of a small call's instructions */
typedef enum { RECEIVE_BUFFER, UPLOAD_BUFFER, FRESH_CONNECT, FORBID_REUSE, CONNECT_TIME, WITHOUT_PROGRESS, KEPT_OPTIONS } kept_option;

static const CURLoption kept_options[KEPT_OPTIONS] = {
  CURLOPT_BUFFERSIZE, CURLOPT_UPLOAD_BUFFERSIZE, CURLOPT_FRESH_CONNECT, CURLOPT_FORBID_REUSE, CURLOPT_CONNECTTIMEOUT_MS,
  CURLOPT_NOPROGRESS,
};

#define GRACE 0.02               /* seconds that an upload waits after its first piece for a server that refuses it at once */

struct dk_handle {
  CURL *easy;
  CURLcode refusal;              /* of the first option that libcurl did not take; CURLE_OK: it took all */
  const char *refused_option;
  CURLU *address;                /* parsed once while the same address is asked again: 15 % of a call's instructions */
  char *url, *ca_file;           /* what address and the roots were set from */
  bool has_roots;
  const char *exempt;            /* hosts that no proxy is for, as set last; NULL: not known */
  bool guarded;                  /* each socket's address is looked at */
  int socket;                    /* the last one opened; -1: none */
  bool paused;                   /* the upload, until libcurl asks for its next piece */
  int pauses;                    /* since a piece went out */
  char tail[7];                  /* the last bytes of an upload's response, as they came, with the sizes of chunks */
  double grace_ends;             /* on the monotonic clock; 0: the first piece is not out */
  char refused[64];              /* an address that was not public; "": none */
  long kept[KEPT_OPTIONS];
  bool plain;                    /* a GET without a body was set last */
  curl_mime *mime;
  dk_xfer *xfer;
  char error[CURL_ERROR_SIZE];
};

static bool is_tls (const dk_xfer *x) { return dk_same_letters(x->url, "https:", 6); }

static bool has_tls_proxy (const dk_xfer *x) { return x->proxy != NULL && dk_same_letters(x->proxy, "https:", 6); }

static bool is_public_only (const dk_xfer *x) { return x->flags & DK_PUBLIC; }

static bool is_saved (const dk_xfer *x) { return x->file.path != NULL && x->status / 100 == 2; }

/* ---- libcurl's callbacks: they note, and never call curl ---- */

/* "HTTP/1.1 200 OK": 200; 0 where it is no such line: libcurl may make a 200 of it all the same */
static long status_of (const char *line, size_t length) {
  static const char form[] = "HTTP/0.0 000";                   /* 0: any digit */
  if (length < sizeof form || strchr(" \r\n", line[sizeof form - 1]) == NULL) return 0;
  for (size_t i = 0; form[i] != '\0'; i++) {
    if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i]) return 0;
  }
  return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

static size_t on_head (char *bytes, size_t one, size_t count, void *arg) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  size_t length = one * count;
  x->moved = *x->clock;
  if (x->has_head && x->status / 100 != 1) return length;      /* a trailer, behind a chunked body */
  if (x->has_head) dk_buffer_cut(&x->head, 0);                 /* what came before was interim */
  if (x->head.length == 0) x->status = status_of(bytes, length);
  x->has_head = length > 0 && (bytes[0] == '\r' || bytes[0] == '\n');
  dk_status status = dk_buffer_add(&x->head, bytes, length);
  if (status == DK_OK) return length;
  if (status == DK_NO_MEMORY) dk_fail(&x->failure, status, "no memory");
  else dk_fail(&x->failure, status, "the answer's headers have more than %d bytes", DK_MAX_HEAD);
  return 0;
}

static size_t on_body (char *bytes, size_t one, size_t count, void *arg) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  size_t length = one * count;
  x->moved = *x->clock;
  if (is_saved(x)) return dk_file_add(&x->file, bytes, length, &x->failure) == DK_OK ? length : 0;
  dk_status status = dk_buffer_add(&x->answer, bytes, length);
  if (status == DK_OK) return length;
  if (status == DK_NO_MEMORY) dk_fail(&x->failure, status, "no memory");
  else dk_fail(&x->failure, status, "the answer has more than %zu bytes", x->max_answer);
  return 0;
}

static int on_progress (void *arg, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  const curl_off_t now[4] = {sent, to_send, received, to_receive};
  for (int i = 0; i < 4; i++) {
    uint64_t count = now[i] > 0 ? (uint64_t)now[i] : 0;
    if (atomic_load_explicit(&x->counts[i], memory_order_relaxed) == count) continue;
    atomic_store_explicit(&x->counts[i], count, memory_order_relaxed);
    x->moved = *x->clock;
  }
  return 0;
}

/* the address comes from libcurl's one look-up, so no second one can lead elsewhere; refused, it tries the name's next */
static curl_socket_t on_open (void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  dk_handle *handle = arg;
  char text[64];
  (void)purpose;
  if (!handle->guarded || dk_address_of_socket(&address->addr, text) == DK_PUBLIC_ADDRESS) {
    return handle->socket = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }
  memcpy(handle->refused, text, sizeof text);
  return CURL_SOCKET_BAD;
}

/* libcurl tells nobody that a chunked response has ended while the upload goes on, so its raw bytes are looked at */
static int on_debug (CURL *easy, curl_infotype kind, char *bytes, size_t length, void *arg) {
  dk_handle *handle = arg;
  const size_t most = sizeof handle->tail;
  (void)easy;
  if (kind != CURLINFO_DATA_IN) return 0;
  size_t fresh = length < most ? length : most;
  memmove(handle->tail, handle->tail + fresh, most - fresh);
  memcpy(handle->tail + most - fresh, bytes + length - fresh, fresh);
  return 0;
}

static bool is_readable (const dk_handle *handle) {
  struct pollfd event = {.fd = handle->socket, .events = POLLIN};
  return poll(&event, 1, 0) > 0;
}

/* An early response is lost where libcurl sends at the moment at which the server cuts the connection. So an upload pauses for
 * what came, which libcurl reads first; and once, after its first piece, for a server nearby that refuses it by its head. What
 * came may be no response (a TLS ticket) or another socket's, so the upload goes on after some pauses. */
static bool must_wait (void *arg, size_t given) {
  dk_handle *handle = arg;
  dk_xfer *x = handle->xfer;
  if (x->has_head) return handle->paused = false;
  if (given >= DK_FORM_PIECE && handle->socket >= 0 && handle->grace_ends == 0) handle->grace_ends = dk_now() + GRACE;
  handle->paused = dk_now() < handle->grace_ends || (handle->pauses < MOST_PAUSES && is_readable(handle));
  handle->pauses = handle->paused ? handle->pauses + 1 : 0;
  if (handle->paused) *x->any_paused = true;
  return handle->paused;
}

/* libcurl calls it each time a request is about to go out; of its own accord it sends again what a dying kept connection
 * left without an answer */
static int on_prerequest (void *arg, char *peer, char *local, int peer_port, int local_port) {
  dk_handle *handle = arg;
  dk_xfer *x = handle->xfer;
  (void)local, (void)peer_port, (void)local_port;
  x->moved = *x->clock;
  if (is_public_only(x) && x->proxy == NULL && dk_address_of(peer) != DK_PUBLIC_ADDRESS) {      /* a kept connection of somebody else's */
    snprintf(handle->refused, sizeof handle->refused, "%s", peer);
    return CURL_PREREQFUNC_ABORT;
  }
  if (x->sendings > 0 && (x->flags & DK_ONCE)) {
    x->repeated = true;
    return CURL_PREREQFUNC_ABORT;
  }
  x->sendings++;
  return CURL_PREREQFUNC_OK;
}

/* ---- the handle ---- */

CURL *dk_handle_easy (dk_handle *handle) { return handle->easy; }

dk_xfer *dk_handle_xfer (CURL *easy) {
  dk_handle *handle = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle);
  return handle->xfer;
}

static void note_refusal (dk_handle *handle, CURLcode code, const char *option) {
  if (code == CURLE_OK || handle->refusal != CURLE_OK) return;
  handle->refusal = code;
  handle->refused_option = option;
}

static dk_status tell_refusal (const dk_handle *handle, dk_failure *failure) {
  if (handle->refusal == CURLE_OUT_OF_MEMORY) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  return dk_fail(failure, DK_UNSUPPORTED, "libcurl %s does not take %s: %s", curl_version_info(CURLVERSION_NOW)->version, handle->refused_option,
                 curl_easy_strerror(handle->refusal));
}

/* an option without which no transfer may begin */
#define REQUIRE(handle, option, value) note_refusal(handle, curl_easy_setopt((handle)->easy, option, value), #option)

/* CURLOPT_PROTOCOLS is for a libcurl before 7.85, also under newer headers */
static void require_protocols (dk_handle *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
  if (curl_easy_setopt(handle->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK) return;
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  REQUIRE(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma GCC diagnostic pop
}

static void set_what_stays (dk_handle *handle, CURLSH *share) {
  for (int i = 0; i < KEPT_OPTIONS; i++) handle->kept[i] = -1;
  REQUIRE(handle, CURLOPT_PRIVATE, handle);
  REQUIRE(handle, CURLOPT_SHARE, share);
  REQUIRE(handle, CURLOPT_CURLU, handle->address);
  REQUIRE(handle, CURLOPT_ERRORBUFFER, handle->error);
  REQUIRE(handle, CURLOPT_HEADERFUNCTION, on_head);
  REQUIRE(handle, CURLOPT_HEADERDATA, handle);
  REQUIRE(handle, CURLOPT_WRITEFUNCTION, on_body);
  REQUIRE(handle, CURLOPT_WRITEDATA, handle);
  REQUIRE(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  REQUIRE(handle, CURLOPT_XFERINFODATA, handle);
  REQUIRE(handle, CURLOPT_PREREQFUNCTION, on_prerequest);
  REQUIRE(handle, CURLOPT_PREREQDATA, handle);
  REQUIRE(handle, CURLOPT_DEBUGFUNCTION, on_debug);            /* else libcurl prints what it sends, secrets included */
  REQUIRE(handle, CURLOPT_DEBUGDATA, handle);
  REQUIRE(handle, CURLOPT_NOSIGNAL, 1L);
  REQUIRE(handle, CURLOPT_OPENSOCKETFUNCTION, on_open);
  REQUIRE(handle, CURLOPT_OPENSOCKETDATA, handle);
  REQUIRE(handle, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);               /* our lines are for the server */
  REQUIRE(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);                       /* and its alone are the answer */
  REQUIRE(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  REQUIRE(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  REQUIRE(handle, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  REQUIRE(handle, CURLOPT_ACCEPT_ENCODING, "");                /* decodes whatever comes; transfer.c takes the header out */
  require_protocols(handle);
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(handle->easy, CURLOPT_QUICK_EXIT, 1L);      /* cancel and close don't wait for a name look-up */
#endif
}

dk_handle *dk_handle_new (CURLSH *share, dk_failure *failure) {
  dk_handle *handle = calloc(1, sizeof *handle);
  if (handle != NULL) {
    handle->easy = curl_easy_init();
    handle->address = curl_url();
  }
  if (handle == NULL || handle->easy == NULL || handle->address == NULL) {
    dk_fail(failure, DK_NO_MEMORY, "no memory");
    dk_handle_free(handle);
    return NULL;
  }
  set_what_stays(handle, share);
  if (handle->refusal == CURLE_OK) return handle;
  tell_refusal(handle, failure);
  dk_handle_free(handle);
  return NULL;
}

void dk_handle_free (dk_handle *handle) {
  if (handle == NULL) return;
  curl_mime_free(handle->mime);
  curl_easy_cleanup(handle->easy);
  curl_url_cleanup(handle->address);
  free(handle->url);
  free(handle->ca_file);
  free(handle);
}

static dk_status tell_private (dk_xfer *x, const char *address) {
  return dk_fail(&x->failure, DK_PRIVATE, "the address %s is not public", address);
}

static dk_status load_url (dk_handle *handle, dk_xfer *x) {
  if (handle->url != NULL && strcmp(handle->url, x->url) == 0) return DK_OK;
  free(handle->url);
  handle->url = strdup(x->url);
  curl_url_set(handle->address, CURLUPART_SCHEME, NULL, 0);    /* else an address without one is taken as relative to the last */
  CURLUcode code = curl_url_set(handle->address, CURLUPART_URL, x->url, 0);
  if (code == CURLUE_OK && handle->url != NULL) return DK_OK;
  free(handle->url);
  handle->url = NULL;
  return code == CURLUE_OK || code == CURLUE_OUT_OF_MEMORY ? dk_fail(&x->failure, DK_NO_MEMORY, "no memory")
                                                           : dk_fail(&x->failure, DK_BAD_URL, "%s", curl_url_strerror(code));
}

/* A TLS library without folders of roots refuses the option; to give it none is as good. */
static CURLcode set_folder (CURL *easy, CURLoption option, const char *folder) {
  CURLcode code = curl_easy_setopt(easy, option, folder);
  return folder == NULL && code != CURLE_OUT_OF_MEMORY ? CURLE_OK : code;
}

static void require_roots (dk_handle *handle, dk_roots roots) {
  REQUIRE(handle, CURLOPT_CAINFO, roots.file);
  note_refusal(handle, set_folder(handle->easy, CURLOPT_CAPATH, roots.folder), "CURLOPT_CAPATH");
  REQUIRE(handle, CURLOPT_PROXY_CAINFO, roots.file);
  note_refusal(handle, set_folder(handle->easy, CURLOPT_PROXY_CAPATH, roots.folder), "CURLOPT_PROXY_CAPATH");
}

/* of the server and of a proxy that speaks TLS: for that one libcurl's pool compares no roots of its own where the address is http */
static dk_status load_roots (dk_handle *handle, dk_xfer *x) {
  if (!is_tls(x) && !has_tls_proxy(x)) return DK_OK;
  bool same = handle->ca_file && x->ca_file ? strcmp(handle->ca_file, x->ca_file) == 0 : handle->ca_file == x->ca_file;
  if (handle->has_roots && same) return DK_OK;
  free(handle->ca_file);
  handle->ca_file = x->ca_file ? strdup(x->ca_file) : NULL;
  if (x->ca_file != NULL && handle->ca_file == NULL) note_refusal(handle, CURLE_OUT_OF_MEMORY, "CURLOPT_CAINFO");
  require_roots(handle, dk_roots_of(x->ca_file));
  handle->has_roots = handle->refusal == CURLE_OK;
  return handle->has_roots ? DK_OK : tell_refusal(handle, &x->failure);
}

/* "user:password" as libcurl wants it: percent-encoded, but for the first colon */
static dk_status encode_login (dk_buffer *out, const char *login) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", hex[] = "0123456789ABCDEF";
  const char *colon = strchr(login, ':');
  dk_status status = DK_OK;
  for (const char *at = login; *at != '\0' && status == DK_OK; at++) {
    unsigned char c = (unsigned char)*at;
    const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
    bool is_plain = at == colon || strchr(plain, *at) != NULL;
    status = dk_buffer_add(out, is_plain ? at : escape, is_plain ? 1 : sizeof escape);
  }
  return status;
}

static void require_login (dk_handle *handle, const char *login) {
  dk_buffer encoded;
  dk_buffer_init(&encoded, 3 * strlen(login));
  if (encode_login(&encoded, login) == DK_OK) REQUIRE(handle, CURLOPT_PROXYUSERPWD, encoded.bytes);
  else note_refusal(handle, CURLE_OUT_OF_MEMORY, "CURLOPT_PROXYUSERPWD");
  dk_buffer_reset(&encoded);
}

/* libcurl 8.8 to 8.20 keeps the login where CURLOPT_PROXYUSERPWD is set to NULL, so its two parts are cleared as well */
static void forget_login (CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_PROXYUSERPWD, NULL);
  curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, NULL);
  curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, NULL);
}

/* "*" spares libcurl its look at the environment, and so does a proxy of ours with nothing exempt from it */
static dk_status load_proxy (dk_handle *handle, dk_xfer *x) {
  static const char all[] = "*", none[] = "";
  const char *exempt = x->proxy ? none : all;
  if (handle->exempt != exempt) REQUIRE(handle, CURLOPT_NOPROXY, exempt);
  if (x->proxy != NULL) REQUIRE(handle, CURLOPT_PROXY, x->proxy);
  if (x->proxy_login != NULL) require_login(handle, x->proxy_login);
  handle->exempt = handle->refusal == CURLE_OK ? exempt : NULL;
  return handle->refusal == CURLE_OK ? DK_OK : tell_refusal(handle, &x->failure);
}

static dk_status load_guard (dk_handle *handle, dk_xfer *x) {
  handle->guarded = is_public_only(x) && x->proxy == NULL;
  if (!is_public_only(x) || handle->guarded) return DK_OK;
  char *host = NULL;             /* who is behind a proxy is told by the address alone, if at all */
  if (curl_url_get(handle->address, CURLUPART_HOST, &host, 0) != CURLUE_OK) return dk_fail(&x->failure, DK_NO_MEMORY, "no memory");
  if (dk_address_of(host) == DK_PRIVATE_ADDRESS) tell_private(x, host);
  curl_free(host);
  return x->failure.status;
}

static CURLcode keep (dk_handle *handle, kept_option option, long value) {
  if (handle->kept[option] == value) return CURLE_OK;
  CURLcode code = curl_easy_setopt(handle->easy, kept_options[option], value);
  handle->kept[option] = code == CURLE_OK ? value : -1;
  return code;
}

static dk_status load_body (dk_handle *handle, dk_xfer *x) {
  const char *custom = x->method;
  bool was_plain = handle->plain, with_body = x->form != NULL || x->has_body;
  handle->plain = !with_body && strcmp(custom, "GET") == 0;
  if (handle->plain && was_plain) return DK_OK;
  REQUIRE(handle, CURLOPT_HTTPGET, 1L);                        /* back from whatever was before */
  if (x->form != NULL) {
    handle->mime = dk_form_mime(x->form, handle->easy);
    if (handle->mime == NULL) return dk_fail(&x->failure, DK_NO_MEMORY, "no memory");
    dk_form_watch(x->form, must_wait, handle);
    curl_easy_setopt(handle->easy, CURLOPT_VERBOSE, 1L);
    keep(handle, UPLOAD_BUFFER, FORM_BUFFER);
    REQUIRE(handle, CURLOPT_MIMEPOST, handle->mime);
  } else if (x->has_body) {
    REQUIRE(handle, CURLOPT_POST, 1L);
    REQUIRE(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.length);
    REQUIRE(handle, CURLOPT_POSTFIELDS, x->body.bytes ? x->body.bytes : "");
  }
  REQUIRE(handle, CURLOPT_CUSTOMREQUEST, strcmp(custom, with_body ? "POST" : "GET") == 0 ? NULL : custom);
  return handle->refusal == CURLE_OK ? DK_OK : tell_refusal(handle, &x->failure);
}

static long milliseconds (double seconds) {
  double ms = seconds * 1000;
  return ms >= 1e9 ? 1000000000L : ms < 1 ? 1L : (long)ms;
}

/* lets go of all that points into the transfer */
static void clear (dk_handle *handle) {
  if (handle->mime != NULL) {
    curl_easy_setopt(handle->easy, CURLOPT_MIMEPOST, NULL);
    curl_mime_free(handle->mime);
    handle->mime = NULL;
    keep(handle, UPLOAD_BUFFER, SEND_BUFFER);                  /* gives the large one back */
    curl_easy_setopt(handle->easy, CURLOPT_VERBOSE, 0L);
  }
  curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, NULL);
  if (!handle->plain) curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, NULL);
  if (handle->xfer->proxy != NULL) {
    curl_easy_setopt(handle->easy, CURLOPT_PROXY, NULL);
    forget_login(handle->easy);
  }
  handle->xfer = NULL;
}

static dk_status load_rest (dk_handle *handle, dk_xfer *x) {
  REQUIRE(handle, CURLOPT_HTTPHEADER, &x->line[0]);
  note_refusal(handle, keep(handle, FRESH_CONNECT, x->flags & DK_ONCE || x->alone ? 1 : 0), "CURLOPT_FRESH_CONNECT");
  note_refusal(handle, keep(handle, FORBID_REUSE, x->alone ? 1 : 0), "CURLOPT_FORBID_REUSE");
  note_refusal(handle, keep(handle, CONNECT_TIME, x->connect > 0 ? milliseconds(x->connect) : 0), "CURLOPT_CONNECTTIMEOUT_MS");
  keep(handle, RECEIVE_BUFFER, x->file.path ? FILE_BUFFER : SMALL_BUFFER);
  keep(handle, WITHOUT_PROGRESS, x->form || x->file.path || x->body.length > SEND_BUFFER ? 0 : 1);      /* 2 % of a small call */
  return handle->refusal == CURLE_OK ? DK_OK : tell_refusal(handle, &x->failure);
}

dk_status dk_handle_load (dk_handle *handle, dk_xfer *x) {
  handle->xfer = x;
  handle->error[0] = handle->refused[0] = '\0';
  handle->refusal = CURLE_OK;
  handle->socket = -1;
  handle->paused = false;
  handle->pauses = 0;
  handle->grace_ends = 0;
  memcpy(handle->tail, "     \r\n", sizeof handle->tail);      /* of the head: a chunk's size follows the end of a line */
  dk_status status = load_url(handle, x);
  if (status == DK_OK) status = load_roots(handle, x);
  if (status == DK_OK) status = load_proxy(handle, x);
  if (status == DK_OK) status = load_guard(handle, x);
  if (status == DK_OK) status = load_body(handle, x);
  if (status == DK_OK) status = load_rest(handle, x);
  if (status == DK_OK) return DK_OK;
  handle->plain = false;
  clear(handle);
  dk_file_drop(&x->file);
  return status;
}

/* libcurl's results that mean something else than "the connection ended early" */
static const struct { CURLcode code; dk_status status; } results[] = {
  {CURLE_COULDNT_RESOLVE_HOST, DK_LOOKUP},
  {CURLE_COULDNT_RESOLVE_PROXY, DK_LOOKUP},
  {CURLE_COULDNT_CONNECT, DK_CONNECT},
  {CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT},
  {CURLE_SSL_CONNECT_ERROR, DK_HANDSHAKE},
  {CURLE_PEER_FAILED_VERIFICATION, DK_TLS},
  {CURLE_SSL_CACERT_BADFILE, DK_TLS},
  {CURLE_SSL_ISSUER_ERROR, DK_TLS},
  {CURLE_SSL_CIPHER, DK_TLS},
  {CURLE_SSL_INVALIDCERTSTATUS, DK_TLS},
  {CURLE_OUT_OF_MEMORY, DK_NO_MEMORY},
  {CURLE_URL_MALFORMAT, DK_BAD_URL},
  {CURLE_UNSUPPORTED_PROTOCOL, DK_BAD_URL},
  {CURLE_WEIRD_SERVER_REPLY, DK_PROTOCOL},
  {CURLE_BAD_FUNCTION_ARGUMENT, DK_PROTOCOL},                  /* of 7.83 on: a header line without a name */
  {CURLE_BAD_CONTENT_ENCODING, DK_PROTOCOL},
  {(CURLcode)100, DK_OVER_CAP},                                /* CURLE_TOO_LARGE, of 8.6 on: a head past libcurl's own limit */
};

static dk_status result_of (CURLcode code) {
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
    if (results[i].code == code) return results[i].status;
  }
  return DK_CUT;
}

static long number_of (CURL *easy, CURLINFO what) {
  long number = 0;
  curl_easy_getinfo(easy, what, &number);
  return number;
}

static double time_of (CURL *easy, CURLINFO what) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, what, &microseconds);
  return (double)microseconds / 1e6;
}

/* a proxy's answer that is none of the server's: it refuses us (407, a SOCKS login), or could not get there itself */
static dk_status refusal_of (CURL *easy, CURLcode code) {
  long answer = number_of(easy, CURLINFO_HTTP_CONNECTCODE), reply = number_of(easy, CURLINFO_PROXY_ERROR);
  if (answer / 100 == 4) return DK_PROXY;
  if (answer / 100 != 2 && answer != 0) return DK_CONNECT;
  if (code != CURLE_PROXY) return result_of(code);
  return reply == CURLPX_USER_REJECTED || reply == CURLPX_NO_AUTH || reply == CURLPX_REPLY_NOT_ALLOWED ? DK_PROXY : DK_CONNECT;
}

/* whether it failed on the way through the proxy */
static bool is_at_proxy (dk_handle *handle, dk_status status) {
  const dk_xfer *x = handle->xfer;
  if (x->proxy == NULL || number_of(handle->easy, CURLINFO_HTTP_CONNECTCODE) / 100 == 2) return false;
  return has_tls_proxy(x) || (status != DK_TLS && status != DK_HANDSHAKE);
}

/* how far it came */
static const char *step_of (dk_handle *handle, dk_status status) {
  dk_xfer *x = handle->xfer;
  if (x->sendings == 0) {
    if (is_at_proxy(handle, status)) return "proxy";
    if (time_of(handle->easy, CURLINFO_NAMELOOKUP_TIME_T) == 0) return handle->refused[0] ? "connect" : "name look-up";
    /* CURLINFO_CONNECT_TIME_T is 0 until TLS is done, too */
    return is_tls(x) && number_of(handle->easy, CURLINFO_NUM_CONNECTS) > 0 ? "TLS" : "connect";
  }
  if (x->status > 0) return "body";
  return atomic_load(&x->counts[0]) < atomic_load(&x->counts[1]) ? "send" : "wait";      /* small bodies go out at once */
}

static void note_times (dk_handle *handle) {
  dk_xfer *x = handle->xfer;
  CURL *easy = handle->easy;
  bool was_kept = x->sendings > 0 && number_of(easy, CURLINFO_NUM_CONNECTS) == 0;
  x->took = time_of(easy, CURLINFO_TOTAL_TIME_T);
  if (!was_kept) {
    x->times.lookup = (float)time_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
    x->times.connect = (float)time_of(easy, CURLINFO_CONNECT_TIME_T);
    x->times.tls = (float)time_of(easy, CURLINFO_APPCONNECT_TIME_T);
  }
  if (x->status > 0) x->times.first_byte = (float)time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
}

/* libcurl before 8.6 says "out of memory" where a line of the response's head is past its own limit of 100 KB */
static bool is_long_line (const dk_xfer *x, dk_status status) {
  return status == DK_NO_MEMORY && x->sendings > 0 && (!x->has_head || x->status / 100 == 1);
}

static void tell_failure (dk_handle *handle, CURLcode code) {
  dk_xfer *x = handle->xfer;
  const char *trouble = x->form ? dk_form_trouble(x->form) : NULL;
  const char *text = handle->error[0] ? handle->error : curl_easy_strerror(code);
  dk_status status = x->proxy && x->sendings == 0 ? refusal_of(handle->easy, code) : result_of(code);
  if (status == DK_BAD_URL && x->sendings > 0) status = DK_PROTOCOL;      /* libcurl tells an answer in HTTP/0.9 the same way */
  if (trouble != NULL) dk_fail(&x->failure, DK_FILE, "%s", trouble);
  else if (x->repeated) dk_fail(&x->failure, DK_CUT, "the connection ended before an answer came");
  else if (handle->refused[0] && x->sendings == 0 && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK)) tell_private(x, handle->refused);
  else if (is_long_line(x, status)) dk_fail(&x->failure, DK_OVER_CAP, "a line of the response's head is too long for libcurl");
  else if (strcmp(x->step, "proxy") == 0) dk_fail(&x->failure, status, "the proxy %s: %s", x->proxy, text);
  else if (status == DK_TLS) dk_fail(&x->failure, status, "%s (trusted roots: %s)", text, dk_roots_name(x->ca_file));
  else dk_fail(&x->failure, status, "%s", text);
}

static bool is_chunked (const dk_xfer *x) {
  size_t length;
  const char *coding = dk_head_find(x->head.bytes, x->head.length, "Transfer-Encoding", &length);
  return coding != NULL && length == 7 && dk_same_letters(coding, "chunked", length);
}

/* A server may answer before it has the whole request, and then cut the connection: what came is an answer all the same,
 * where its head told how long it is, or its last chunk came. */
static bool is_whole (dk_handle *handle) {
  const dk_xfer *x = handle->xfer;
  curl_off_t length = -1, got = 0;
  if (!x->has_head || x->status < 200 || x->repeated || x->failure.status != DK_OK) return false;
  if (x->status == 204 || x->status == 304) return true;
  curl_easy_getinfo(handle->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(handle->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
  if (x->form != NULL && is_chunked(x)) return memcmp(handle->tail, "\r\n0\r\n\r\n", sizeof handle->tail) == 0;
  return length >= 0 && got == length;
}

static void settle (dk_handle *handle, CURLcode code, dk_status stopped, const char *text) {
  dk_xfer *x = handle->xfer;
  if ((code != CURLE_OK || stopped != DK_OK) && is_whole(handle)) {
    code = CURLE_OK;
    stopped = DK_OK;
  }
  if (code == CURLE_OK && !x->has_head) code = CURLE_GOT_NOTHING;         /* cut within the header block, which is no failure to libcurl */
  if (code == CURLE_OK && x->status < 100) code = CURLE_WEIRD_SERVER_REPLY;
  x->fate = code == CURLE_OK && stopped == DK_OK ? DK_ANSWERED : x->sendings > 0 ? DK_UNKNOWN : DK_NOT_SENT;
  if (x->fate != DK_ANSWERED) x->step = step_of(handle, result_of(code));
  if (x->fate != DK_ANSWERED || x->status / 100 != 2) x->took = time_of(handle->easy, CURLINFO_TOTAL_TIME_T);
  if (x->flags & DK_TIMES) note_times(handle);
  if (stopped != DK_OK) dk_fail(&x->failure, stopped, "%s", text);
  else if (x->failure.status == DK_OK && code != CURLE_OK) tell_failure(handle, code);
  if (x->failure.status == DK_OK && is_saved(x)) dk_file_finish(&x->file, &x->failure);
}

bool dk_handle_resume (dk_handle *handle) {
  if (handle->paused && (dk_now() >= handle->grace_ends || handle->xfer->has_head)) curl_easy_pause(handle->easy, CURLPAUSE_CONT);
  return handle->paused;
}

void dk_handle_unload (dk_handle *handle, CURLcode code, dk_status stopped, const char *text) {
  settle(handle, code, stopped, text);
  dk_file_drop(&handle->xfer->file);
  clear(handle);
}
