/* http_date.h - parsers for the times in HTTP headers: a date, or a number of seconds. */
#ifndef DK_HTTP_DATE_H
#define DK_HTTP_DATE_H

#include <stdbool.h>

/* Parses a date in one of HTTP's three forms ("Sun, 06 Nov 1994 08:49:37 GMT", and two obsolete ones of RFC 9110), with blanks
 * around it. False: it has no such form, or the day does not exist. unix_time: seconds. */
bool dk_http_date_parse (const char *text, double *unix_time);

/* Parses Retry-After: a plain number of seconds (not "1e9"), or a date; a date in the past is 0. now: Unix time. False: it is
 * neither. A huge number is limited to a large one. */
bool dk_retry_after_parse (const char *text, double now, double *seconds);

#endif
