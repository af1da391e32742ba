/* status.h - the error codes of the core, and a failure with its text. */
#ifndef DK_STATUS_H
#define DK_STATUS_H

#include "os/os.h"

/* name in C, name in Lua; the table of errors in Lua has a row for each but the first */
#define DK_STATUS_ROWS(X)                                       \
  X(DK_OK, "ok")                                                \
  X(DK_NO_MEMORY, "memory")                                     \
  X(DK_UNSUPPORTED, "unsupported") /* libcurl refuses an option that is needed for safety */ \
  X(DK_BAD_URL, "url")             /* libcurl can't parse it */  \
  X(DK_BAD_VALUE, "value")         /* a slot's value is not allowed in a header */ \
  X(DK_EMPTY_SLOT, "empty_slot")   /* a header needs a slot that is empty */    \
  X(DK_FILE, "file")               /* open, read, write or rename failed */    \
  X(DK_FILE_EXISTS, "file_exists")                              \
  X(DK_NOT_REGULAR, "not_regular") /* a folder, a device: a file can't replace it */ \
  X(DK_DISK, "disk")               /* full, over a quota or a limit, read-only; the text says what to do */ \
  X(DK_NOT_AN_IMAGE, "no_image")       /* not JPEG, PNG or WebP */  \
  X(DK_IMAGE_INCOMPLETE, "image_cut")     /* a downloaded image ends early */           \
  X(DK_IMAGE_TOO_LARGE, "too_large")     /* an image to upload */       \
  X(DK_OVER_LIMIT, "over_cap")       /* a response over its size limit */ \
  X(DK_ADDRESS_NOT_PUBLIC, "private_address") /* with DK_PUBLIC */      \
  X(DK_LOOKUP, "lookup")                                        \
  X(DK_CONNECT, "connect")                                      \
  X(DK_PROXY, "proxy")             /* it refuses us */                \
  X(DK_TLS_HANDSHAKE, "handshake")     /* TLS failed before a certificate was verified */ \
  X(DK_TLS, "tls")                                              \
  X(DK_CONNECTION_LOST, "cut")                 /* the connection ended early */ \
  X(DK_TIMEOUT, "timeout")                                      \
  X(DK_CANCELLED, "cancelled")                                  \
  X(DK_PROTOCOL, "protocol")       /* the server does not speak HTTP correctly */

typedef enum {
#define DK_STATUS_ENUM(name, text) name,
  DK_STATUS_ROWS(DK_STATUS_ENUM)
#undef DK_STATUS_ENUM
} dk_status;

/* Its name in Lua; static. */
const char *dk_status_name (dk_status status);

/* The text for an errno; static, or strerror's. */
const char *dk_errno_text (int number);

/* What failed and why. The size keeps a transfer below 1,032 bytes, the limit of malloc's fast lists. */
typedef struct {
  dk_status status;
  char text[448];                /* for a person; without a secret; shortened at its end */
} dk_failure;

#define DK_PATH_FORMAT "%.400s"  /* a path in a format: shortened, so that the reason after it stays */

/* Writes a failure, and returns its status for the caller to return. */
dk_status dk_fail (dk_failure *failure, dk_status status, const char *format, ...)
  __attribute__((format(DK_PRINTF, 3, 4)));

/* The same for a system call that failed on a file. path: as the user wrote it. reason: errno. Returns DK_DISK, DK_NOT_REGULAR
 * (the file can't be replaced) or DK_FILE. */
dk_status dk_fail_errno (dk_failure *failure, const char *path, int reason);

#endif
