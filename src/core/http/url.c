#include "http/url.h"

#include <curl/curl.h>
#include <string.h>

static CURLUcode copy_part (CURLU *address, CURLUPart part, char *out, size_t room) {
  char *text = NULL;
  CURLUcode code = curl_url_get(address, part, &text, 0);
  if (code == CURLUE_OK && strlen(text) >= room) code = CURLUE_MALFORMED_INPUT;
  if (code == CURLUE_OK) strcpy(out, text);
  curl_free(text);
  return code;
}

static CURLUcode resolve (CURLU *address, const char *base, const char *location, char url[DK_MAX_URL]) {
  const unsigned as_sent = CURLU_DISALLOW_USER | CURLU_URLENCODE;     /* servers send blanks and UTF-8 as they are */
  char scheme[sizeof "https"];
  CURLUcode code = location[0] != '\0' ? curl_url_set(address, CURLUPART_URL, base, 0) : CURLUE_MALFORMED_INPUT;
  if (code == CURLUE_OK) code = curl_url_set(address, CURLUPART_URL, location, as_sent);
  if (code == CURLUE_OK) code = curl_url_set(address, CURLUPART_FRAGMENT, NULL, 0);
  if (code == CURLUE_OK) code = copy_part(address, CURLUPART_SCHEME, scheme, sizeof scheme);
  if (code == CURLUE_OK && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) code = CURLUE_UNSUPPORTED_SCHEME;
  return code == CURLUE_OK ? copy_part(address, CURLUPART_URL, url, DK_MAX_URL) : code;
}

dk_status dk_url_resolve (const char *base, const char *location, char url[DK_MAX_URL]) {
  CURLU *address = curl_url();
  CURLUcode code = address ? resolve(address, base, location, url) : CURLUE_OUT_OF_MEMORY;
  curl_url_cleanup(address);
  return code == CURLUE_OK ? DK_OK : code == CURLUE_OUT_OF_MEMORY ? DK_NO_MEMORY : DK_BAD_URL;
}
