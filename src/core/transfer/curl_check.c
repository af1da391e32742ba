#include "transfer/curl_check.h"

#include "os/threads.h"
#include "transfer/curl_compat.h"

enum { OLDEST_LIBCURL = 0x075000, FIRST_WITH_THREADSAFE = 0x075400 };  /* 7.80.0, 7.84.0 */
#define LIBCURL_THREADSAFE (1 << 30)     /* CURL_VERSION_THREADSAFE, also with older headers */

static const char *what_is_missing (const curl_version_info_data *library) {
  if (library->version_num < OLDEST_LIBCURL) return "is too old: version 7.80.0 or newer is needed";
  if (!(library->features & CURL_VERSION_SSL)) return "has no TLS, which https needs: use one that is built with OpenSSL, GnuTLS, or another TLS library";
  if (!(library->features & CURL_VERSION_ASYNCHDNS)) {
    return "looks up names while the program waits: use one that is built with a threaded resolver or c-ares";
  }
  if (DK_HAS_THREADS && library->version_num >= FIRST_WITH_THREADSAFE && !(library->features & LIBCURL_THREADSAFE)) {
    return "does not start safely beside other threads: use one that is built with threads";
  }
  return NULL;
}

dk_status dk_curl_check (dk_failure *failure) {
  const curl_version_info_data *library = curl_version_info(CURLVERSION_NOW);
  const char *missing = what_is_missing(library);
  return missing == NULL ? DK_OK : dk_fail(failure, DK_UNSUPPORTED, "libcurl %s %s", library->version, missing);
}

const char *dk_curl_url_error (int code) { return curl_url_strerror((CURLUcode)code); }
