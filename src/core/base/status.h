/* status.h - what can go wrong below Lua, and the room in which it is told. */
#ifndef DK_STATUS_H
#define DK_STATUS_H

/* name for C, name for Lua (lua/devkit4ai/errors.lua has a row for each but the first) */
#define DK_STATUS_ROWS(X)                                       \
  X(DK_OK, "ok")                                                \
  X(DK_NO_MEMORY, "memory")                                     \
  X(DK_UNSUPPORTED, "unsupported") /* libcurl does not take an option that is needed for safety */ \
  X(DK_BAD_URL, "url")             /* libcurl can't read it */  \
  X(DK_BAD_VALUE, "value")         /* a slot's value can't stand in a header */ \
  X(DK_EMPTY_SLOT, "empty_slot")   /* a header needs a slot that is empty */    \
  X(DK_FILE, "file")               /* opening, reading, writing, renaming */    \
  X(DK_FILE_EXISTS, "file_exists")                              \
  X(DK_NOT_REGULAR, "not_regular") /* a folder, a device: nothing that a file can replace */ \
  X(DK_DISK, "disk")               /* full, over a quota or a limit, read-only; its text says what to do */ \
  X(DK_NO_IMAGE, "no_image")       /* not JPEG, PNG or WebP */  \
  X(DK_IMAGE_CUT, "image_cut")     /* an image that came ends early */           \
  X(DK_TOO_LARGE, "too_large")     /* an image to send */       \
  X(DK_OVER_CAP, "over_cap")       /* an answer past its cap */ \
  X(DK_PRIVATE, "private_address") /* where public ones alone may be asked */      \
  X(DK_LOOKUP, "lookup")                                        \
  X(DK_CONNECT, "connect")                                      \
  X(DK_PROXY, "proxy")             /* it does not let us through */                \
  X(DK_HANDSHAKE, "handshake")     /* TLS broke off before anything was verified */ \
  X(DK_TLS, "tls")                                              \
  X(DK_CUT, "cut")                 /* the connection ended early */ \
  X(DK_TIMEOUT, "timeout")                                      \
  X(DK_CANCELLED, "cancelled")                                  \
  X(DK_PROTOCOL, "protocol")       /* the peer does not speak HTTP as it should */

typedef enum {
#define DK_STATUS_ENUM(name, text) name,
  DK_STATUS_ROWS(DK_STATUS_ENUM)
#undef DK_STATUS_ENUM
} dk_status;

/* Its name for Lua; static. */
const char *dk_status_name (dk_status status);

/* Why a system call failed, in words; static, or strerror's. number: of errno. */
const char *dk_reason (int number);

/* text: what failed and with which reason, for a person; holds no secret; cut at the end where it does not fit (a path is
 * cut by itself, so that its reason stays: DK_PATH). Small enough for a transfer to stay below malloc's 1,032 quick bytes. */
typedef struct {
  dk_status status;
  char text[448];
} dk_failure;

#define DK_PATH "%.400s"         /* how a path stands in a format */

/* Notes a failure and returns its status, so that a caller can return what it told. */
dk_status dk_fail (dk_failure *failure, dk_status status, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/* The same for a system call that failed on a file. path: as the user knows it. reason: errno. Returns DK_DISK, DK_NOT_REGULAR (what is there can't be replaced) or
 * DK_FILE. */
dk_status dk_fail_file (dk_failure *failure, const char *path, int reason);

#endif
