/* random.h - random numbers for pauses. */
#ifndef DK_RANDOM_H
#define DK_RANDOM_H

/* A number from 0 to below 1, from the system's random source. Where the system has none, it is made from the clock, the
 * process and a counter: two processes still differ, but the number can be guessed. Never for a secret. Thread: any. */
double dk_random (void);

#endif
