/* http_date.c - a delay is at least 0, a date equals the C library's, and a number has its value.
 * Input: the text; its first NUL ends it. */
#define _GNU_SOURCE              /* gmtime_r, strcasestr */
#include <math.h>
#include <stdbool.h>
#include <time.h>

#include "http/http_date.h"
#include "support/fuzz.h"

#define LARGEST 1e15             /* seconds */

static void check_date (const char *text, double date) {
  static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t at = (time_t)date;
  struct tm m;
  char again[64], month[4], clock[32];
  double same = 0, seconds = -1;
  HOLDS((double)at == date && gmtime_r(&at, &m) != NULL && m.tm_year >= -1900 && m.tm_year <= 10000 - 1900);
  if (m.tm_year < 10000 - 1900) {                    /* a leap second may lead into the next year */
    snprintf(again, sizeof again, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * m.tm_wday, m.tm_mday, months + 3 * m.tm_mon, m.tm_year + 1900, m.tm_hour, m.tm_min, m.tm_sec);
    HOLDS(dk_http_date_parse(again, &same) && same == date);
  }
  snprintf(month, sizeof month, "%.3s", months + 3 * m.tm_mon);
  snprintf(clock, sizeof clock, "%02d:%02d:%02d", m.tm_hour, m.tm_min, m.tm_sec);
  HOLDS(strstr(text, ":60 ") != NULL || (strcasestr(text, month) != NULL && strstr(text, clock) != NULL));
  HOLDS(dk_retry_after_parse(text, date - 7, &seconds) && seconds == 7);
  HOLDS(dk_retry_after_parse(text, date, &seconds) && seconds == 0);
  HOLDS(dk_retry_after_parse(text, date + 7, &seconds) && seconds == 0);
}

/* digits, optionally a point and more digits, with blanks around */
static bool is_number (const char *text) {
  text += strspn(text, " \t");
  size_t digits = strspn(text, "0123456789");
  text += digits;
  if (digits > 0 && *text == '.') text += 1 + strspn(text + 1, "0123456789");
  return digits > 0 && text[strspn(text, " \t")] == '\0';
}

static void check_number (const char *text, double seconds) {
  double wanted = strtod(text, NULL);
  HOLDS(wanted >= LARGEST ? seconds == LARGEST : fabs(seconds - wanted) <= 1e-9 * (1 + wanted));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const double now = 1764000000;
  fuzz_input input = fuzz_open(data, size);
  char *text = fuzz_text(&input);
  double date = -1, seconds = -1;
  bool is_date = dk_http_date_parse(text, &date), is_delay = dk_retry_after_parse(text, now, &seconds);
  HOLDS(is_delay == (is_date || is_number(text)) && !(is_date && is_number(text)));
  HOLDS(!is_delay || (seconds >= 0 && seconds <= LARGEST));
  if (is_date) check_date(text, date);
  else if (is_delay) check_number(text, seconds);
  free(text);
  return 0;
}
