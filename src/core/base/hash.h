/* hash.h - a keyed hash: tells values apart without showing them. */
#ifndef DK_HASH_H
#define DK_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 under a key that the process draws once: who sees a hash can't try guessed values against it, and nobody can
 * make two values that share one. A forked child keeps its parent's key. False: the system has no random bytes. Thread: any. */
bool dk_hash (const void *bytes, size_t length, uint64_t *hash);

/* SipHash-2-4 of its paper (Aumasson, Bernstein), under the given key. */
uint64_t dk_hash_under (const uint64_t key[2], const void *bytes, size_t length);

#endif
