/* transfer.h - one exchange: a request in; an answer, or what is known of its fate, out. */
#ifndef DK_TRANSFER_H
#define DK_TRANSFER_H

#include <curl/curl.h>
#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl is too old: version 7.80.0 or newer is needed"
#endif
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "file/download.h"
#include "transfer/form.h"
#include "base/status.h"

enum {
  DK_MAX_HEAD = 65536,           /* bytes of a header block, either way */
  DK_MAX_METHOD = 7,             /* letters */
};

enum {
  DK_ONCE = 1,                   /* at most one request on the wire */
  DK_PUBLIC = 2,                 /* to public addresses only; through a proxy only one that stands in the URL can be told */
  DK_OVERWRITE = 4,              /* save_as may exist */
  DK_HEAD = 8,                   /* the head is wanted, also of a GET that succeeds */
  DK_TIMES = 16,                 /* the times of its steps are wanted */
};

/* Seconds from the start until each was done; 0: it was not, or the connection was a kept one. */
typedef struct { float lookup, connect, tls, first_byte; } dk_times;

typedef enum { DK_NOT_SENT, DK_UNKNOWN, DK_ANSWERED } dk_fate;

/* What is to go out. */
typedef struct {
  const char *method;            /* at most DK_MAX_METHOD letters */
  const char *url;
  unsigned flags;                /* DK_ONCE, ... */
  dk_buffer lines;               /* header lines, each ended by a NUL */
  bool has_body;                 /* body goes out, even if it is empty */
  dk_buffer body;
  dk_form *form;                 /* goes out in place of body; or NULL */
  const char *ca_file;           /* the roots; NULL: the system's own */
  const char *proxy;             /* "scheme://host:port": http, https, socks5, socks5h; NULL: none */
  const char *proxy_login;       /* "user:password" as they are; or NULL */
  double connect, idle, total;   /* seconds; 0: no limit. connect covers name look-up and TLS */
  size_t max_answer;             /* bytes of the answer's body */
  const char *save_as;           /* a 2xx answer becomes this file, if it is a picture; or NULL */
} dk_request;

typedef struct dk_handle dk_handle;
typedef struct dk_xfer dk_xfer;

struct dk_xfer {
  /* the request */
  char method[DK_MAX_METHOD + 1];
  char *url, *ca_file, *proxy, *proxy_login;          /* behind the struct, in its block */
  unsigned flags;
  bool has_body;
  double connect, idle, total;
  dk_buffer lines, body;
  dk_form *form;

  /* the answer; whole where fate is DK_ANSWERED and failure.status DK_OK */
  long status;                   /* of HTTP; 0: no status line came */
  dk_buffer head;                /* the last header block, its status line included */
  dk_buffer answer;              /* empty where it went into the file */
  dk_fate fate;
  dk_failure failure;
  const char *step;              /* of the failure: "name look-up", "connect", "proxy", "TLS", "send", "wait", "body"; static */
  double took;                   /* seconds until its end; of a 2xx only with DK_TIMES */
  dk_times times;                /* with DK_TIMES */

  dk_file file;                  /* for save_as */
  size_t max_answer;

  /* under way; of the stepper alone, but for counts */
  unsigned sendings;             /* calls of the pre-request callback */
  bool repeated;                 /* libcurl was stopped from sending it twice */
  bool has_head;                 /* the header block's empty line came */
  bool alone;                    /* on a connection that nobody else gets, before or after */
  const double *clock;           /* the engine's stepped time */
  bool *any_paused;              /* the engine's: set where an upload paused */
  double began, moved;           /* on that clock */
  atomic_uint_least64_t counts[4];                    /* bytes: sent, to send, received, to receive */

  /* the engine's */
  uint64_t id;
  dk_xfer *next, *in_bucket, *next_cancelled;
  dk_handle *handle;             /* NULL: not running */
  int place;                     /* in the list of those that run */
  bool cancelled, done;          /* asked to end; in the queue of the finished */

  struct curl_slist line[];      /* over lines, as libcurl wants them */
};

/* Makes a transfer; strings of request are copied, its lines, body and form are taken over, also on failure. With save_as,
 * the part file is made here. NULL: failure tells (DK_FILE, DK_FILE_EXISTS, DK_NO_MEMORY). */
dk_xfer *dk_xfer_new (dk_request *request, dk_failure *failure);

/* Wipes and frees, the part file included. NULL is fine. Never while an engine has it. */
void dk_xfer_free (dk_xfer *x);

/* The value of a header in a header block: points into head; NULL: there is none. name: without colon, any case. */
const char *dk_head_find (const char *head, size_t head_length, const char *name, size_t *length);

#endif
