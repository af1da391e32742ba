/* digest_map.h - a map from texts to small values, for some million texts: 40 bytes for each of them, and no allocation of its own. */
#ifndef DK_DIGEST_MAP_H
#define DK_DIGEST_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

typedef struct {
  uint64_t number;               /* 1 or more */
  dk_digest digest;
} dk_digest_value;

typedef struct {
  dk_digest key;                 /* of the text: two texts have one digest by accident in one of 10^26 batches of a million texts */
  dk_digest_value value;         /* number 0: the place is free */
} dk_digest_entry;

typedef struct {
  dk_digest_entry *entries;      /* owned; NULL: there is no room */
  size_t room, count;
} dk_digest_map;

/* Empty, without memory. */
void dk_digest_map_init (dk_digest_map *map);

/* Sets the value of a key; false: no memory, and nothing changed. */
bool dk_digest_map_set (dk_digest_map *map, const dk_digest *key, const dk_digest_value *value);

/* The value of a key, which the next set or clear frees; NULL: it has none. */
const dk_digest_value *dk_digest_map_get (const dk_digest_map *map, const dk_digest *key);

/* Frees the memory; the map is empty. */
void dk_digest_map_clear (dk_digest_map *map);

#endif
