/* curl_check.h - whether the libcurl that runs has what the core needs. It may be another one than that of the headers. */
#ifndef DK_CURL_CHECK_H
#define DK_CURL_CHECK_H

#include "base/status.h"

/* DK_UNSUPPORTED with a text for the user: the library is older than 7.80, has no TLS, is not safe for threads, or looks up names while
 * its caller waits. It needs no initialised libcurl. */
dk_status dk_curl_check (dk_failure *failure);

/* curl_url_strerror's text for a code of libcurl's URL functions; static. */
const char *dk_curl_url_error (int code);

#endif
