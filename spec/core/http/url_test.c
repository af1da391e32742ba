/* url_test.c - the URLs of redirects, valid and invalid. */
#define _DEFAULT_SOURCE          /* strcasecmp */
#include <string.h>
#include <strings.h>

#include "http/url.h"
#include "support/check.h"

#define BASE "https://api.example/a/b?c=d"

/* compared without case: libcurl writes hex digits in lower case before 8.20, and in upper case since then */
static void targets (void) {
  static const struct { const char *location, *url; } rows[] = {                    /* NULL: none */
    {"/x", "https://api.example/x"}, {"x", "https://api.example/a/x"}, {"../x", "https://api.example/x"}, {"?q=1", "https://api.example/a/b?q=1"},
    {"//other.example/x", "https://other.example/x"}, {"http://other.example/", "http://other.example/"}, {"HTTPS://Other.example/", "https://Other.example/"},
    {"http://other.example:8080/x?y#z", "http://other.example:8080/x?y"}, {"/x#y", "https://api.example/x"},
    {"/a b", "https://api.example/a%20b"}, {"/\xC3\xBC", "https://api.example/%c3%bc"}, {"/a?b=c d", "https://api.example/a?b=c+d"}, {"/%41%2f", "https://api.example/%41%2f"},
    {"http://[::1]/", "http://[::1]/"}, {"http://127.1/", "http://127.0.0.1/"}, {"http://0x7f.1/", "http://127.0.0.1/"}, {"http://2130706433/", "http://127.0.0.1/"},
    {"", NULL}, {"file:///etc/passwd", NULL}, {"ftp://other.example/", NULL}, {"javascript:alert(1)", NULL}, {"data:text/html,x", NULL}, {"gopher://h/", NULL},
    {"http://user@other.example/", NULL}, {"http://user:word@other.example/", NULL}, {"//user@other.example/", NULL}, {"http://:word@other.example/", NULL},
    {"http://", NULL}, {"http://other.example:99999/", NULL}, {"http://a b/", NULL}, {"http://[::1/", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char url[DK_MAX_URL] = "";
    dk_status status = dk_url_resolve(BASE, rows[i].location, url);
    bool right = rows[i].url ? status == DK_OK && strcasecmp(url, rows[i].url) == 0 : status == DK_BAD_URL;
    if (!CHECK(right)) fprintf(stderr, "  '%s': %s '%s'\n", rows[i].location, dk_status_name(status), url);
  }
}

/* libcurl before 8.10 refuses them; later versions percent-encode them */
static void control_characters (void) {
  static const struct { const char *location, *url; } rows[] = {
    {"/a\nb", "https://api.example/a%0Ab"}, {"/a\r\nb", "https://api.example/a%0D%0Ab"}, {"/a\x01", "https://api.example/a%01"}, {"/a\x7f", "https://api.example/a%7F"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char url[DK_MAX_URL] = "";
    dk_status status = dk_url_resolve(BASE, rows[i].location, url);
    if (!CHECK(status == DK_BAD_URL || (status == DK_OK && strcasecmp(url, rows[i].url) == 0))) fprintf(stderr, "  row %zu: %s '%s'\n", i, dk_status_name(status), url);
  }
}

static void lengths (void) {
  static char location[2 * DK_MAX_URL];
  char url[DK_MAX_URL];
  size_t most = DK_MAX_URL - 1 - strlen("https://api.example");
  memset(location, 'x', sizeof location - 1);
  location[0] = '/';
  CHECK(dk_url_resolve(BASE, location, url) == DK_BAD_URL);
  location[most + 1] = '\0';
  CHECK(dk_url_resolve(BASE, location, url) == DK_BAD_URL);
  location[most] = '\0';
  CHECK(dk_url_resolve(BASE, location, url) == DK_OK && strlen(url) == DK_MAX_URL - 1);
}

static void a_base_that_is_none (void) {
  char url[DK_MAX_URL];
  CHECK(dk_url_resolve("", "/x", url) == DK_BAD_URL);
  CHECK(dk_url_resolve("api.example", "/x", url) == DK_BAD_URL);
}

int main (void) {
  static const check_test tests[] = {{"targets", targets}, {"control_characters", control_characters}, {"lengths", lengths}, {"a_base_that_is_none", a_base_that_is_none}};
  return CHECK_RUN(tests);
}
