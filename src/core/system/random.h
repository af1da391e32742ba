/* random.h - random numbers for the jitter of pauses. */
#ifndef DK_RANDOM_H
#define DK_RANDOM_H

/* A number of at least 0 and below 1, from the system's random source. Without that source it comes from the clock, the process
 * id and a counter, so it can be guessed: never use it for a secret. Thread: any. */
double dk_random (void);

#endif
