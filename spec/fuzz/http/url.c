/* url.c - the URL of a redirect is http or https, without a user, fragment, blank or control character, and resolves to itself.
 * Input: the base, a NUL, the location. */
#include "http/url.h"
#include "support/fuzz.h"

static void check (const char *url) {
  char again[DK_MAX_URL];
  const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
  HOLDS(strlen(url) < DK_MAX_URL && host != NULL && strcspn(host, "/?#") > 0);
  HOLDS(memchr(host, '@', strcspn(host, "/?#")) == NULL && strchr(url, '#') == NULL);
  for (const char *at = url; *at != '\0'; at++) HOLDS((unsigned char)*at > 0x20 && *at != 0x7F);
  HOLDS(dk_url_resolve(url, url, again) == DK_OK && strcmp(url, again) == 0);
  HOLDS(dk_url_resolve("https://api.example/", url, again) == DK_OK && strcmp(url, again) == 0);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const char *const bases[] = {"https://api.example/a/b?c=d", "http://127.0.0.1:8080"};
  char url[DK_MAX_URL];
  fuzz_input input = fuzz_open(data, size);
  char *base = fuzz_text(&input), *location = fuzz_text(&input);
  if (dk_url_resolve(base, location, url) == DK_OK) check(url);
  for (int i = 0; i < 2; i++) {
    if (dk_url_resolve(bases[i], location, url) == DK_OK) check(url);
  }
  free(base);
  free(location);
  return 0;
}
