#include "base/digest_map.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

void dk_digest_map_init (dk_digest_map *map) { *map = (dk_digest_map){.entries = NULL}; }

void dk_digest_map_clear (dk_digest_map *map) {
  free(map->entries);
  dk_digest_map_init(map);
}

/* the entry of a key, or the free one where it belongs. A fifth of the room is always free. */
static dk_digest_entry *find (const dk_digest_map *map, const dk_digest *key) {
  size_t at = (size_t)(key->words[0] % map->room);
  for (;; at = at + 1 < map->room ? at + 1 : 0) {
    dk_digest_entry *entry = &map->entries[at];
    bool is_its = entry->key.words[0] == key->words[0] && entry->key.words[1] == key->words[1];
    if (entry->value.number == 0 || is_its) return entry;
  }
}

/* half as much room again, so that little of it is unused */
static bool grow (dk_digest_map *map) {
  dk_digest_map larger = {.entries = NULL, .room = map->room + map->room / 2, .count = map->count};
  if (larger.room == 0) larger.room = FIRST_ROOM;
  larger.entries = (dk_digest_entry *)calloc(larger.room, sizeof *larger.entries);
  if (larger.entries == NULL) return false;
  for (size_t i = 0; i < map->room; i++) {
    const dk_digest_entry *entry = &map->entries[i];
    if (entry->value.number != 0) *find(&larger, &entry->key) = *entry;
  }
  free(map->entries);
  *map = larger;
  return true;
}

bool dk_digest_map_set (dk_digest_map *map, const dk_digest *key, const dk_digest_value *value) {
  if (map->count >= map->room - map->room / 5 && !grow(map)) return false;
  dk_digest_entry *entry = find(map, key);
  if (entry->value.number == 0) map->count++;
  *entry = (dk_digest_entry){.key = *key, .value = *value};
  return true;
}

const dk_digest_value *dk_digest_map_get (const dk_digest_map *map, const dk_digest *key) {
  if (map->room == 0) return NULL;
  const dk_digest_entry *entry = find(map, key);
  return entry->value.number != 0 ? &entry->value : NULL;
}
