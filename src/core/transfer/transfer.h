/* transfer.h - one HTTP transfer: its request, its limits, its response and its outcome. */
#ifndef DK_TRANSFER_H
#define DK_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ascii.h"
#include "base/atomic.h"
#include "base/buffer.h"
#include "base/status.h"
#include "file/download.h"
#include "transfer/curl_compat.h"
#include "transfer/form.h"

enum {
  DK_MAX_HEADERS = 65536,        /* bytes of a header block, of a request or a response */
  DK_MAX_METHOD = 7,             /* letters */
};

enum {
  DK_ONCE = 1,                   /* at most one request on the wire */
  DK_PUBLIC = 2,                 /* public addresses only; through a proxy only an address in the URL can be checked */
  DK_OVERWRITE = 4,              /* the file save_as may exist */
  DK_WANT_HEADERS = 8,           /* the caller reads the response headers, also of a GET that succeeds */
  DK_WANT_TIMES = 16,            /* the caller reads the times of the phases */
};

typedef enum { DK_NOT_SENT, DK_UNKNOWN, DK_ANSWERED } dk_fate;

/* Limits of a transfer. Seconds: 0 is no limit. */
typedef struct {
  double connect;                /* name lookup, connect and TLS */
  double idle;                   /* without a byte in either direction */
  double total;
  size_t response_bytes;         /* of the response body */
} dk_limits;

/* A request as the caller gives it. Strings: "copied" by dk_xfer_new into the transfer's own block. */
typedef struct {
  const char *method;            /* at most DK_MAX_METHOD letters; copied */
  const char *url;               /* copied */
  unsigned flags;                /* DK_ONCE, ... */
  bool has_body;                 /* body is sent, even if it is empty */
  dk_buffer headers;             /* header lines, each ended by a NUL; moved into the transfer */
  dk_buffer body;                /* moved into the transfer */
  dk_form *form;                 /* sent instead of body, or NULL; the transfer frees it */
  const char *ca_file;           /* CA certificates; NULL: the system's; copied */
  const char *proxy;             /* "scheme://host:port": http, https, socks5, socks5h; NULL: none; copied */
  const char *proxy_login;       /* "user:password", not encoded, or NULL; copied, and wiped with the transfer */
  dk_limits limits;
  const char *save_as;           /* a 2xx response becomes this file, if it is an image; or NULL; dk_download copies it */
} dk_request;

/* A response as the handle reads it; complete if the fate is DK_ANSWERED and failure.status is DK_OK. */
typedef struct {
  int status;                    /* of HTTP; 0: no status line came */
  bool has_headers;              /* the empty line after the header block came */
  dk_buffer headers;             /* the last header block, with its status line */
  dk_buffer body;                /* empty if the body went into the download's file */
} dk_response;

/* Seconds from the start until the end of each phase; 0: not reached, or skipped on a reused connection. */
typedef struct {
  float lookup, connect, tls, first_byte;             /* with DK_WANT_TIMES */
  double total;                  /* of a 2xx response only with DK_WANT_TIMES */
} dk_times;

/* The result, written by the handle when the transfer ends. */
typedef struct {
  dk_fate fate;
  dk_failure failure;
  const char *phase;             /* of the failure: "name look-up", "connect", "proxy", "TLS", "send", "wait", "body"; static */
  dk_times times;
} dk_outcome;

typedef enum { DK_BYTES_SENT, DK_BYTES_TO_SEND, DK_BYTES_RECEIVED, DK_BYTES_TO_RECEIVE, DK_BYTE_COUNTS } dk_byte_count;

/* Written by libcurl's callbacks on the stepping thread. Any thread reads the counts. */
typedef struct {
  unsigned requests_sent;        /* calls of the pre-request callback that were allowed */
  bool repeat_stopped;           /* the pre-request callback stopped a second request */
  double last_activity;          /* seconds of the engine's stepped time */
  DK_ATOMIC(uint_least64_t) counts[DK_BYTE_COUNTS];
} dk_progress;

typedef struct dk_handle dk_handle;
typedef struct dk_xfer dk_xfer;

/* The engine's own state of a transfer. Only the stepping thread uses it, except the fields marked "queue lock". */
typedef struct {
  uint64_t id;                   /* set once, at submit */
  dk_xfer *next;                 /* in the queue that holds the transfer; queue lock */
  dk_xfer *next_in_bucket;       /* in the id table; only the caller's thread */
  dk_xfer *next_cancelled;       /* queue lock */
  bool cancelled, done;          /* dk_engine_cancel was called; dk_engine_next may return it; queue lock */
  bool exclusive_connection;     /* a new connection, closed after the response */
  int index;                     /* in the list of running transfers */
  dk_handle *handle;             /* borrowed while the transfer runs; NULL: it does not run */
  double started;                /* seconds of stepped time */
  const double *clock;           /* the engine's stepped time; lives longer than the transfer runs */
  bool *upload_paused;           /* the engine's; a callback sets it when an upload pauses */
} dk_engine_state;

struct dk_xfer {
  dk_request request;            /* its strings are in this block */
  dk_response response;
  dk_outcome outcome;
  dk_download download;          /* for save_as */
  dk_progress progress;
  dk_engine_state engine;
  struct curl_slist header_list[];                    /* libcurl's list; points into request.headers */
};

/* Makes a transfer. Copies the strings of request; takes over its headers, body and form, also on failure. With save_as, it
 * makes the part file. NULL: failure says why (DK_FILE, DK_FILE_EXISTS, DK_NO_MEMORY). */
dk_xfer *dk_xfer_new (dk_request *request, dk_failure *failure);

/* Wipes and frees it, with its part file. NULL is allowed. Not while an engine owns it. */
void dk_xfer_free (dk_xfer *x);

static inline bool dk_request_has_tls (const dk_request *request) { return dk_ascii_equal(request->url, "https:", 6); }

static inline bool dk_request_has_tls_proxy (const dk_request *request) {
  return request->proxy != NULL && dk_ascii_equal(request->proxy, "https:", 6);
}

/* Whether the response body goes into the download's file. */
static inline bool dk_xfer_is_saved (const dk_xfer *x) { return x->download.path != NULL && x->response.status / 100 == 2; }

#endif
