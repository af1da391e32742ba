/* curl_compat.h - what libcurl's headers have only since a version, from 7.80.0 on. The library that runs may be older or newer than the
 * headers, so the core asks it: it sets an option, and reads the result. Only this file asks for the headers' version. */
#ifndef DK_CURL_COMPAT_H
#define DK_CURL_COMPAT_H

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl is too old: version 7.80.0 or newer is needed"
#endif

/* The one function that came with 7.80: a library before it can be loaded all the same, so that the user gets our message and not the
 * linker's. */
#ifdef __ELF__
#pragma weak curl_url_strerror
#endif

/* Since 7.87; an older library does not know it. */
#define DK_CURLOPT_QUICK_EXIT ((CURLoption)(CURLOPTTYPE_LONG + 322))

/* CURLMOPT_QUICK_EXIT: a libcurl that has it (8.20) waits for name lookups in close without it. */
#define DK_CURLMOPT_QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

/* CURLE_TOO_LARGE, since 8.6. */
#define DK_CURLE_TOO_LARGE ((CURLcode)100)

/* Allows http and https alone. A library before 7.85 needs CURLOPT_PROTOCOLS, also with newer headers. */
static inline CURLcode dk_curl_allow_http (CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK) return CURLE_OK;
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma GCC diagnostic pop
}

#endif
