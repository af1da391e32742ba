#include "http/http_date.h"

#include <stddef.h>
#include <string.h>

#include "base/ascii.h"

#define MAX_DELAY 1e15          /* seconds; whole numbers up to here are exact in a double */

/* w, W: a weekday's short and long name; n: a month's name; d: day; Y, y: year of four and of two digits; h, m, s: time of
 * day; any other character is itself */
static const char *const forms[] = {"w, d n Y h:m:s GMT", "W, d-n-y h:m:s GMT", "w n d h:m:s Y"};

static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", NULL};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", NULL};

typedef struct { int year, month, day, hour, minute, second; } date_parts;

/* the index of the name at *at, compared by this many letters (0: all); -1: none */
static int parse_name (const char **at, const char *const *names, size_t letters) {
  for (int i = 0; names[i] != NULL; i++) {
    size_t length = letters ? letters : strlen(names[i]);
    if (!dk_ascii_equal(*at, names[i], length)) continue;
    *at += length;
    return i;
  }
  return -1;
}

/* a number with least to most digits; -1: none */
static int parse_number (const char **at, int least, int most) {
  int value = 0, count = 0;
  for (; count < most && **at >= '0' && **at <= '9'; count++) value = value * 10 + *(*at)++ - '0';
  return count >= least ? value : -1;
}

static int parse_day (const char **at) {
  if (**at == ' ') ++*at;        /* "Nov  6", in the third form */
  return parse_number(at, 1, 2);
}

static int parse_short_year (const char **at) {
  int year = parse_number(at, 2, 2);
  return year < 0 ? year : year < 70 ? 2000 + year : 1900 + year;
}

static bool parse_field (const char **at, char field, date_parts *m) {
  switch (field) {
    case 'w': return parse_name(at, weekdays, 3) >= 0;
    case 'W': return parse_name(at, weekdays, 0) >= 0;
    case 'n': return (m->month = parse_name(at, months, 3)) >= 0;
    case 'd': return (m->day = parse_day(at)) >= 0;
    case 'Y': return (m->year = parse_number(at, 4, 4)) >= 0;
    case 'y': return (m->year = parse_short_year(at)) >= 0;
    case 'h': return (m->hour = parse_number(at, 2, 2)) >= 0;
    case 'm': return (m->minute = parse_number(at, 2, 2)) >= 0;
    case 's': return (m->second = parse_number(at, 2, 2)) >= 0;
    default: return *(*at)++ == field;
  }
}

static size_t blanks (const char *text) { return strspn(text, " \t"); }

static bool has_form (const char *text, const char *form, date_parts *m) {
  for (; *form != '\0'; form++) {
    if (!parse_field(&text, *form, m)) return false;
  }
  return text[blanks(text)] == '\0';
}

static bool is_leap (int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/* second 60 is a leap second */
static bool exists (const date_parts *m) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int last = days[m->month] + (m->month == 1 && is_leap(m->year));
  return m->day >= 1 && m->day <= last && m->hour <= 23 && m->minute <= 59 && m->second <= 60;
}

/* the leap days before this year, since year -400: then no negative number is divided */
static long leap_days_before (int year) {
  long y = year + 399;
  return y / 4 - y / 100 + y / 400;
}

/* days from 1 January 1970 to 1 January of the year */
static long days_before (int year) { return (year - 1970) * 365L + leap_days_before(year) - leap_days_before(1970); }

static double seconds_of (const date_parts *m) {
  static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  long days = days_before(m->year) + before[m->month] + (m->month > 1 && is_leap(m->year)) + m->day - 1;
  return (double)days * 86400 + m->hour * 3600 + m->minute * 60 + m->second;
}

bool dk_http_date_parse (const char *text, double *unix_time) {
  text += blanks(text);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    date_parts m = {0};
    if (!has_form(text, forms[i], &m)) continue;
    *unix_time = seconds_of(&m);
    return exists(&m);
  }
  return false;
}

/* "7" or "1.5"; false: not only such a number */
static bool parse_seconds (const char *at, double *seconds) {
  const char *digits = at;
  double value = 0, part = 1;
  for (; *at >= '0' && *at <= '9'; at++) value = value < MAX_DELAY ? value * 10 + (*at - '0') : MAX_DELAY;
  if (at == digits) return false;
  if (*at == '.') {              /* not allowed in HTTP, but some servers send it */
    for (at++; *at >= '0' && *at <= '9'; at++) value += (part /= 10) * (*at - '0');
  }
  *seconds = value < MAX_DELAY ? value : MAX_DELAY;
  return at[blanks(at)] == '\0';
}

bool dk_retry_after_parse (const char *text, double now, double *seconds) {
  double date;
  if (parse_seconds(text + blanks(text), seconds)) return true;
  if (!dk_http_date_parse(text, &date)) return false;
  *seconds = date > now ? date - now : 0;
  return true;
}
