/* hash.h - a keyed hash, which distinguishes secret values without revealing them. */
#ifndef DK_HASH_H
#define DK_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 with a random key, which the process makes once. Without the key nobody can test a guessed value, or make two values
 * with one hash. A forked child has its parent's key. False: the system has no random bytes. Thread: any. */
bool dk_hash (const void *bytes, size_t length, uint64_t *hash);

/* SipHash-2-4 (Aumasson, Bernstein) with the given key. */
uint64_t dk_siphash (const uint64_t key[2], const void *bytes, size_t length);

#endif
