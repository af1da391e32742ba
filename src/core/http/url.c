#include "http/url.h"

#include <curl/curl.h>
#include <string.h>

static CURLUcode copy_part (CURLU *parsed, CURLUPart part, char *out, size_t size) {
  char *text = NULL;
  CURLUcode code = curl_url_get(parsed, part, &text, 0);
  if (code == CURLUE_OK && strlen(text) >= size) code = CURLUE_MALFORMED_INPUT;
  if (code == CURLUE_OK) strcpy(out, text);
  curl_free(text);
  return code;
}

static CURLUcode resolve (CURLU *parsed, const char *base, const char *location, char url[DK_MAX_URL]) {
  const unsigned as_sent = CURLU_DISALLOW_USER | CURLU_URLENCODE;     /* servers send blanks and UTF-8 without encoding */
  char scheme[sizeof "https"];
  CURLUcode code = location[0] != '\0' ? curl_url_set(parsed, CURLUPART_URL, base, 0) : CURLUE_MALFORMED_INPUT;
  if (code == CURLUE_OK) code = curl_url_set(parsed, CURLUPART_URL, location, as_sent);
  if (code == CURLUE_OK) code = curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
  if (code == CURLUE_OK) code = copy_part(parsed, CURLUPART_SCHEME, scheme, sizeof scheme);
  if (code == CURLUE_OK && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) code = CURLUE_UNSUPPORTED_SCHEME;
  return code == CURLUE_OK ? copy_part(parsed, CURLUPART_URL, url, DK_MAX_URL) : code;
}

dk_status dk_url_resolve (const char *base, const char *location, char url[DK_MAX_URL]) {
  CURLU *parsed = curl_url();
  CURLUcode code = parsed ? resolve(parsed, base, location, url) : CURLUE_OUT_OF_MEMORY;
  curl_url_cleanup(parsed);
  return code == CURLUE_OK ? DK_OK : code == CURLUE_OUT_OF_MEMORY ? DK_NO_MEMORY : DK_BAD_URL;
}
