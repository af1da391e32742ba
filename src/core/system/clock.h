/* clock.h - the monotonic clock. */
#ifndef DK_CLOCK_H
#define DK_CLOCK_H

/* Seconds since an unspecified start. */
double dk_now (void);

#endif
