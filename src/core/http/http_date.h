/* http_date.h - times as HTTP's headers tell them: a date, or a number of seconds. */
#ifndef DK_HTTP_DATE_H
#define DK_HTTP_DATE_H

#include <stdbool.h>

/* A date in one of HTTP's three forms ("Sun, 06 Nov 1994 08:49:37 GMT", and the two that RFC 9110 calls obsolete), blanks
 * around it aside. False: it is none, or names no day of the calendar. unix_time: seconds. */
bool dk_http_date (const char *text, double *unix_time);

/* What a Retry-After names: seconds as a plain number ("1e9" is none), or a date; one that is past is 0. now: Unix time. False:
 * it is neither. A number past all sense comes as a large one. */
bool dk_http_delay (const char *text, double now, double *seconds);

#endif
