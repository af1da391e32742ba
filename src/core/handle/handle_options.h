/* handle_options.h - the table of libcurl options that differ between transfers: set on the easy handle now, and wanted. */
#ifndef DK_HANDLE_OPTIONS_H
#define DK_HANDLE_OPTIONS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* A row: libcurl's name after CURLOPT_; how it is set (dk_option_kind); its value if the transfer wants no other; whether a
 * transfer needs it for safety. The rows are applied in this order: POSTFIELDS and MIMEPOST set the method, so they follow POST
 * and HTTPGET. */

/* Options that stay set until a transfer wants another value. */
#define DK_KEPT_OPTION_ROWS(X)                                                                 \
  X(POST, DK_OPTION_LONG, 0, true)                                                             \
  X(HTTPGET, DK_OPTION_LONG, 0, true)                                                          \
  X(POSTFIELDSIZE_LARGE, DK_OPTION_OFF_T, -1, true)                                            \
  X(CUSTOMREQUEST, DK_OPTION_STRING, 0, true)                                                  \
  X(NOPROXY, DK_OPTION_POINTER, 0, true)                 /* static text */                     \
  X(CAINFO, DK_OPTION_STRING, 0, true)                                                         \
  X(CAPATH, DK_OPTION_DIRECTORY, 0, true)                                                      \
  X(PROXY_CAINFO, DK_OPTION_STRING, 0, true)                                                   \
  X(PROXY_CAPATH, DK_OPTION_DIRECTORY, 0, true)                                                \
  X(SSL_OPTIONS, DK_OPTION_LONG, 0, true)                                                      \
  X(PROXY_SSL_OPTIONS, DK_OPTION_LONG, 0, true)                                                \
  X(FRESH_CONNECT, DK_OPTION_LONG, 0, true)                                                    \
  X(FORBID_REUSE, DK_OPTION_LONG, 0, true)                                                     \
  X(CONNECTTIMEOUT_MS, DK_OPTION_LONG, 0, true)                                                \
  X(BUFFERSIZE, DK_OPTION_LONG, 16 * 1024, false)        /* libcurl's own default, in bytes */ \
  X(NOPROGRESS, DK_OPTION_LONG, 1, false)

/* Options of one transfer, reset when it ends: borrowed memory, a login, a large buffer. libcurl has the same defaults. */
#define DK_TRANSFER_OPTION_ROWS(X)                                                             \
  X(POSTFIELDS, DK_OPTION_POINTER, 0, true)                                                    \
  X(MIMEPOST, DK_OPTION_POINTER, 0, true)                                                      \
  X(HTTPHEADER, DK_OPTION_POINTER, 0, true)                                                    \
  X(PROXY, DK_OPTION_POINTER, 0, true)                                                         \
  X(PROXYUSERPWD, DK_OPTION_LOGIN, 0, true)                                                    \
  X(UPLOAD_BUFFERSIZE, DK_OPTION_LONG, DK_UPLOAD_BUFFER, false)                                \
  X(VERBOSE, DK_OPTION_LONG, 0, false)

#define DK_OPTION_ROWS(X) DK_KEPT_OPTION_ROWS(X) DK_TRANSFER_OPTION_ROWS(X)

enum { DK_UPLOAD_BUFFER = 64 * 1024 };                /* bytes; libcurl's own default */

typedef enum {
  DK_OPTION_LONG,
  DK_OPTION_OFF_T,
  DK_OPTION_POINTER,             /* compared by its address: NULL, static, or borrowed from the transfer */
  DK_OPTION_STRING,              /* compared by its text */
  DK_OPTION_DIRECTORY,           /* a string; a TLS library without such directories may refuse NULL */
  DK_OPTION_LOGIN,               /* "user:password", not encoded */
} dk_option_kind;

#define DK_OPTION_ENUM(name, kind, unset, required) DK_OPT_##name,
typedef enum { DK_OPTION_ROWS(DK_OPTION_ENUM) DK_OPTION_COUNT } dk_option;
enum { DK_KEPT_OPTIONS = DK_OPT_POSTFIELDS };         /* the rows of the first list */
#undef DK_OPTION_ENUM

typedef intptr_t dk_option_value;                     /* a number, or a pointer */

/* The options that are set on one easy handle. */
typedef struct {
  dk_option_value set[DK_OPTION_COUNT];               /* of a string: a copy, owned */
  CURLcode refusal;              /* of the first required option that libcurl refused; CURLE_OK: none */
  const char *refused_option;    /* static */
} dk_handle_options;

/* The options of a new easy handle. */
void dk_handle_options_init (dk_handle_options *options);
void dk_handle_options_free (dk_handle_options *options);

/* Sets wanted to the values of a transfer that wants no others. */
void dk_handle_options_defaults (dk_option_value wanted[DK_OPTION_COUNT]);

/* Sets on easy what differs from wanted. False: libcurl refused a required option (refusal). */
bool dk_handle_options_apply (dk_handle_options *options, CURL *easy, const dk_option_value wanted[DK_OPTION_COUNT]);

/* Resets on easy the options of one transfer, at its end. */
void dk_handle_options_release (dk_handle_options *options, CURL *easy);

/* Notes the result of another curl_easy_setopt, for an option without which no transfer may start. */
void dk_handle_options_note (dk_handle_options *options, CURLcode code, const char *name);

#endif
