/* http_date_test.c - dates and delays in HTTP headers, valid and invalid. */
#include <string.h>
#include <time.h>

#include "http/http_date.h"
#include "support/check.h"

static void dates (void) {
  static const struct { const char *text; double time; } rows[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777}, {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777}, {"Sun Nov  6 08:49:37 1994", 784111777},
    {"  Sun, 06 Nov 1994 08:49:37 GMT\t", 784111777}, {"sun, 06 nov 1994 08:49:37 gmt", -1}, {"Sun, 6 Nov 1994 08:49:37 GMT", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0}, {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799.0}, {"Wed, 31 Dec 2008 23:59:60 GMT", 1230768000}, {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648.0},
    {"Thursday, 01-Jan-70 00:00:00 GMT", 0}, {"Wednesday, 01-Jan-69 00:00:00 GMT", 3124224000.0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double got = -1;
    bool is_date = dk_http_date_parse(rows[i].text, &got);
    if (!CHECK(is_date == (rows[i].time >= 0) && (!is_date || got == rows[i].time))) fprintf(stderr, "  %s: %.0f\n", rows[i].text, got);
  }
}

static void no_dates (void) {
  static const char *const rows[] = {
    "", " ", "Sun", "Sun,", "yesterday", "1994-11-06T08:49:37Z", "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 06 Nov 1994 08:49:37 GMT and more", "Sun, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 00:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "20261125", "12:00", "Sun, 99999999999999999999 Nov 1994 08:49:37 GMT",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double got;
    if (!CHECK(!dk_http_date_parse(rows[i], &got))) fprintf(stderr, "  %s\n", rows[i]);
  }
}

/* against the C library: every day of 1970 to 2150 */
static void all_days (void) {
  static const double last = 180.0 * 365.25 * 86400;
  char text[64];
  for (double day = 0; day < last; day += 86400) {
    double wanted = day + 43199, got = -1;
    time_t at = (time_t)wanted;
    struct tm *moment = gmtime(&at);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", moment);
    if (!CHECK(dk_http_date_parse(text, &got) && got == wanted)) {
      fprintf(stderr, "  %s: %.0f\n", text, got);
      return;
    }
  }
}

static void before_1970 (void) {
  static const struct { const char *text; double time; } rows[] = {
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1}, {"Thu, 01 Mar 1900 00:00:00 GMT", -2203891200.0}, {"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800.0},
    {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200.0}, {"Tue, 29 Feb 0000 00:00:00 GMT", -62162121600.0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double got = 0;
    if (!CHECK(dk_http_date_parse(rows[i].text, &got) && got == rows[i].time)) fprintf(stderr, "  %s: %.0f\n", rows[i].text, got);
  }
}

static void delays (void) {
  static const struct { const char *text; double seconds; } rows[] = {              /* -1: invalid */
    {"0", 0}, {"5", 5}, {"120", 120}, {" 7\t", 7}, {"007", 7}, {"1.5", 1.5}, {"2.", 2}, {"86400", 86400}, {"1000000000", 1e9},
    {"99999999999999999999999999999999999999", 1e15}, {"-1", -1}, {"+1", -1}, {"soon", -1}, {"", -1}, {" ", -1}, {"1e9", -1}, {"0x10", -1}, {"1,5", -1}, {"5 s", -1}, {"5;6", -1},
    {".5", -1}, {"inf", -1}, {"nan", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 37}, {"Sun, 06 Nov 1994 08:49:00 GMT", 0}, {"Sun, 06 Nov 1994 08:48:00 GMT", 0}, {"Mon, 06 Nov 1995 08:49:00 GMT", 365 * 86400.0},
  };
  const double now = 784111740;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double got = -1;
    bool right = dk_retry_after_parse(rows[i].text, now, &got) ? got == rows[i].seconds : rows[i].seconds == -1;
    if (!CHECK(right)) fprintf(stderr, "  %s: %f\n", rows[i].text, got);
  }
}

static void many_digits_are_a_large_number (void) {
  static char text[100001];
  double got;
  memset(text, '9', sizeof text - 1);
  CHECK(dk_retry_after_parse(text, 0, &got) && got == 1e15);
  text[1] = '.';
  CHECK(dk_retry_after_parse(text, 0, &got) && got > 9.99 && got < 10.01);
}

int main (void) {
  static const check_test tests[] = {
    {"dates", dates}, {"no_dates", no_dates}, {"all_days", all_days}, {"before_1970", before_1970}, {"delays", delays}, {"many_digits_are_a_large_number", many_digits_are_a_large_number},
  };
  return CHECK_RUN(tests);
}
